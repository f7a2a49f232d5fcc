"""Measures the costs that `make bench` has no row for: `python -m scripts.simulate.measure`.

One server with its defaults on a core of its own, asked from another one. Linux only. What it
prints are the fields of `Costs` that name this command as their source.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

import uvloop

from scripts.bench.contenders import Contender, colloquy, scripted_model
from scripts.bench.documents import QUESTION, upload
from scripts.bench.process import cpu_seconds, resident_bytes
from scripts.simulate.caller import Caller, has_ended
from scripts.simulate.costs import MIB

AT_ONCE: Final = 8
TOKENS: Final = 300
TURNS: Final = 40
RECONNECTS: Final = 1500
STREAMS: Final = 200
SOCKETS: Final = 1000
SILENT_SECONDS: Final = 10.0

Work = Callable[[int], Awaitable[object]]


async def many(count: int, work: Work) -> None:
    """Do something often, a few at a time."""
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


async def talk(server: Contender, tokens: int) -> Caller:
    """Begin a conversation with one turn that looks something up; its socket is closed again."""
    caller = Caller(server.socket_url, str(uuid4()))
    await caller.open()
    await caller.ask(f"{QUESTION} [[tokens={tokens} rate=300]]")
    await caller.subscribe()
    await caller.until(has_ended)
    caller.close()
    return caller


async def spent(server: Contender, count: int, work: Work) -> float:
    """Return the CPU seconds of the server for each piece of work; the first tenth is not counted.

    It includes what the server does anyway in that time.
    """
    await many(count // 10, work)
    before = cpu_seconds(server.pid)
    await many(count, work)
    return (cpu_seconds(server.pid) - before) / count


async def turn_seconds(server: Contender) -> float:
    """Return what a turn of one token costs beside its socket, which is there already."""
    callers = [Caller(server.socket_url, str(uuid4())) for _ in range(AT_ONCE)]
    free = list(callers)

    async def turn(number: int) -> None:
        caller = free.pop()
        await caller.ask(f"{QUESTION} [[tokens=1]]")
        if number < 0:
            await caller.subscribe()
        await caller.until(has_ended)
        free.append(caller)

    await many(AT_ONCE, lambda number: callers[number].open())
    await many(AT_ONCE, lambda number: turn(-1))
    seconds = await spent(server, 4 * TURNS, turn)
    for caller in callers:
        caller.close()
    return seconds


async def handshake_seconds(server: Contender) -> float:
    """Return what a client costs that connects, says hello and leaves."""

    async def once(number: int) -> None:
        caller = Caller(server.socket_url, str(uuid4()))
        await caller.open()
        caller.close()

    return await spent(server, RECONNECTS, once)


async def reconnect_seconds(server: Contender, known: list[str]) -> float:
    """Return what a client costs that comes back, ten events behind, and leaves again."""
    places: dict[str, dict[str, object]] = {}

    async def once(number: int) -> None:
        caller = Caller(server.socket_url, known[number % len(known)])
        await caller.open()
        answer = await caller.subscribe(places.get(caller.conversation_id))
        sequence = max(0, answer["sequence"] - 10)
        places[caller.conversation_id] = {"epoch": answer["epoch"], "sequence": sequence}
        await caller.until(lambda frame: frame["type"] == "events")
        caller.close()

    return await spent(server, RECONNECTS, once)


async def socket_seconds(server: Contender, conversation_id: str) -> float:
    """Return what an open, subscribed, silent socket costs in a second."""
    idle = await _seconds_a_second(server)
    callers = [Caller(server.socket_url, conversation_id) for _ in range(SOCKETS)]
    await many(SOCKETS, lambda number: callers[number].open())
    await many(SOCKETS, lambda number: callers[number].subscribe())
    await asyncio.sleep(2)
    with_them = await _seconds_a_second(server)
    for caller in callers:
        caller.close()
    return (with_them - idle) / SOCKETS


async def _seconds_a_second(server: Contender) -> float:
    before = cpu_seconds(server.pid)
    await asyncio.sleep(SILENT_SECONDS)
    return (cpu_seconds(server.pid) - before) / SILENT_SECONDS


async def run_bytes(server: Contender) -> float:
    """Return what a run at work adds to the memory of a socket that is there anyway."""
    callers = [Caller(server.socket_url, str(uuid4())) for _ in range(STREAMS)]
    await many(STREAMS, lambda number: callers[number].open())
    await asyncio.sleep(2)
    before = resident_bytes(server.pid)

    async def begin(number: int) -> None:
        await callers[number].ask("[[tokens=600 rate=30]]")
        await callers[number].subscribe()

    await many(STREAMS, begin)
    await asyncio.sleep(8)
    grown = resident_bytes(server.pid) - before
    for caller in callers:
        await caller.until(has_ended)
        caller.close()
    return grown / STREAMS


async def measure(server: Contender) -> None:
    """Print every cost when it is known."""
    # First: what others have left behind would hide it.
    memory = await run_bytes(server)
    known: list[str] = []

    async def begin(number: int) -> None:
        known.append((await talk(server, TOKENS)).conversation_id)

    await many(TURNS, begin)
    handshake = await handshake_seconds(server)
    _print("handshake_seconds", 1e3 * handshake, "ms")
    _print("subscribe_seconds", 1e3 * (await reconnect_seconds(server, known) - handshake), "ms")
    _print("socket_seconds", 1e6 * await socket_seconds(server, known[0]), "µs a second")
    _print("turn_seconds", 1e3 * await turn_seconds(server), "ms")
    _print("run_bytes", memory / 1024, "KiB")


def _print(name: str, value: float, unit: str) -> None:
    print(f"{name:20} {value:8.2f} {unit}", flush=True)


def main() -> None:
    """Measure and print."""
    with scripted_model() as model, colloquy(model.url) as server:
        upload(server)
        _print("node_bytes", resident_bytes(server.pid) / MIB, "MiB")
        uvloop.run(measure(server))


if __name__ == "__main__":
    main()
