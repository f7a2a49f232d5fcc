"""Loads a server from a process of its own: `python -m scripts.bench.driver PLAN`, both JSON.

It starts its sockets, lets the first seconds pass, and measures in a window in which every stream
talks. Faults do not stop it: they are part of the result.
"""

import asyncio
import gc
import sys
import time
from array import array
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import uvloop
from msgspec.structs import replace

from scripts.bench.plan import Plan, Result
from scripts.bench.process import cpu_seconds, machine_cpu_seconds, resident_bytes
from scripts.bench.speaker import ColloquySpeaker, OnTokens, Refusal, Speaker

_WARM_SECONDS: Final = 2.0
_GATHER_SECONDS: Final = 4.0
_LONG_SECONDS: Final = 100.0
_STARTS_AT_ONCE: Final = 8
_PATIENCE_SECONDS: Final = 60.0
_LATE_SECONDS: Final = 30.0
_AT_ONCE: Final = 50


class Meter:
    """Counts what arrives between `start` and `stop`, and what it cost."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._is_on = False
        self._is_timed = plan.kind == "paced"
        self._waits = array("q")
        self._started = (0.0, 0.0, 0.0, 0.0)
        self.result = Result()

    def take(self, stamps: list[bytes], received_ns: int) -> None:
        """Take the tokens of one frame."""
        if not self._is_on:
            return
        self.result.tokens += len(stamps)
        if self._is_timed:
            for stamp in stamps:
                self._waits.append(received_ns - int(stamp))

    def start(self) -> None:
        """Open the window."""
        self._started = self._clocks()
        self._is_on = True

    def stop(self) -> None:
        """Close the window."""
        self._is_on = False
        seconds, cpu, load, machine = (
            now - then for now, then in zip(self._clocks(), self._started, strict=True)
        )
        self.result.seconds, self.result.cpu, self.result.load_cpu = seconds, cpu, load
        self.result.other_cpu = max(0.0, machine - cpu - load)
        self.result.summarise(wait / 1e6 for wait in self._waits)

    def _clocks(self) -> tuple[float, float, float, float]:
        """Return the time, and the CPU time of the server, of the load and of the machine."""
        load = time.process_time() + cpu_seconds(self._plan.model_pid)
        return time.monotonic(), cpu_seconds(self._plan.pid), load, machine_cpu_seconds()


def make(plan: Plan, on_tokens: OnTokens, conversation_id: str | None = None) -> Speaker:
    """Return a speaker that is not connected yet."""
    if plan.wire == "colloquy":
        return ColloquySpeaker(plan.url, on_tokens, conversation_id, listen_url=plan.listen_url)
    return Speaker(plan.url, on_tokens)


async def paced(plan: Plan) -> Result:
    """Measure streams that talk at the pace of a model, from when all of them do."""
    meter = Meter(plan)
    speakers = await _open(plan, meter.take)
    script = f"[[tokens={int(plan.rate * _LONG_SECONDS)} rate={plan.rate} stamp=1]]"
    answers = await _all_talking(speakers, script)
    await asyncio.sleep(_WARM_SECONDS)
    meter.start()
    await asyncio.sleep(plan.seconds)
    meter.stop()
    meter.result.faults = ["the answer ended before its time" for one in answers if one.done()]
    for speaker in speakers:
        speaker.stop()
    await _all_over(answers, meter.result)
    return meter.result


async def saturated(plan: Plan) -> Result:
    """Measure streams that go as fast as they can, while all of them do."""
    meter = Meter(plan)
    speakers = await _open(plan, meter.take)
    # The model begins them together: a turn takes longer to begin than a fast one to end.
    begin = time.monotonic_ns() + int(_GATHER_SECONDS * 1e9)
    script = f"[[tokens={plan.count} stamp=2 begin={begin}]]"
    answers = [speaker.ask(script) for speaker in speakers]
    warm = plan.count // 10
    await _until(lambda: all(speaker.tokens >= warm for speaker in speakers))
    meter.start()
    await asyncio.wait(answers, timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    meter.stop()
    await _all_over(answers, meter.result)
    return meter.result


async def turns(plan: Plan) -> Result:
    """Measure what a server adds to the model's own time until the first token is there."""
    meter = Meter(plan)
    [speaker] = await _open(plan, meter.take)
    overheads: list[float] = []
    for number in range(-10, plan.count):
        if number == 0:
            meter.start()
            overheads.clear()
        asked_ns = time.monotonic_ns()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await speaker.ask(f"{plan.question} [[tokens=1 stamp=1]]")
        if speaker.first_stamps is not None:
            arrived, sent = speaker.first_stamps
            overheads.append((speaker.first_frame_ns - asked_ns - (sent - arrived)) / 1e6)
    meter.stop()
    meter.result.summarise(overheads)
    meter.result.tokens = len(overheads)
    return meter.result


async def idle(plan: Plan) -> Result:
    """Measure the memory of sockets that are open and say nothing."""
    # The first ones make the server import and allocate what it keeps anyway.
    first = await _open(replace(plan, streams=50), _ignore)
    shared = first[0].conversation_id if isinstance(first[0], ColloquySpeaker) else None
    await asyncio.sleep(1)
    before = resident_bytes(plan.pid)
    others = await _open(plan, _ignore, shared)
    await asyncio.sleep(1)
    grown = resident_bytes(plan.pid) - before
    for speaker in (*first, *others):
        speaker.close()
    return Result(bytes_each=grown / plan.streams)


def _ignore(stamps: list[bytes], received_ns: int) -> None:
    """Take tokens that nobody counts."""


async def _open(
    plan: Plan, on_tokens: OnTokens, conversation_id: str | None = None
) -> list[Speaker]:
    speakers = [make(plan, on_tokens, conversation_id) for _ in range(plan.streams)]
    for start in range(0, len(speakers), _AT_ONCE):
        async with asyncio.timeout(_PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for speaker in speakers[start : start + _AT_ONCE]:
                group.create_task(speaker.open())
    return speakers


async def _all_talking(speakers: list[Speaker], script: str) -> "list[asyncio.Future[None]]":
    """Start all answers, a few at a time: what it costs to begin is measured elsewhere."""
    answers: list[asyncio.Future[None]] = []
    waiting = iter(speakers)

    async def start_some() -> None:
        for speaker in waiting:
            answers.append(speaker.ask(script))
            await speaker.heard.wait()

    async with asyncio.timeout(_PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(_STARTS_AT_ONCE):
            group.create_task(start_some())
    return answers


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        # An event would have to be thought of for every frame, on the path that is measured.
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def _all_over(answers: "list[asyncio.Future[None]]", result: Result) -> None:
    """Wait for the answers' ends and write down those that did not come."""
    done, late = await asyncio.wait(answers, timeout=_LATE_SECONDS)
    result.faults += [str(error) for answer in done if (error := answer.exception())]
    result.faults += ["the answer did not end"] * len(late)


async def _measure(plan: Plan) -> Result:
    measurements: dict[str, Callable[[Plan], Awaitable[Result]]] = {
        "paced": paced,
        "saturated": saturated,
        "turns": turns,
        "idle": idle,
    }
    # The collector's pauses would be taken for the server's.
    gc.disable()
    try:
        return await measurements[plan.kind](plan)
    except (Refusal, TimeoutError, OSError, ExceptionGroup) as error:
        return Result(faults=[f"{type(error).__name__}: {error}"])


def main() -> None:
    """Carry out one plan and print its result."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    print(msgspec.json.encode(uvloop.run(_measure(plan))).decode())


if __name__ == "__main__":
    main()
