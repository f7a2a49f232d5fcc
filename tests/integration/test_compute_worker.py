"""A worker process answers, or it is dead and the next question finds another."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.compute.child import BUG, DONE, Handler, Limits
from app.compute.worker import Worker, WorkerDied
from tests.support.compute_desks import crowded_desk, obedient_desk

MIB = 1024 * 1024

PARENT = """
import asyncio, sys
from app.compute.worker import Worker
from tests.support.compute_desks import obedient_desk

async def main():
    worker = Worker(obedient_desk, answer_seconds=60)
    print((await worker.ask("process", None))[1], flush=True)
    await worker.ask("hang", None)

asyncio.run(main())
"""


@asynccontextmanager
async def working(
    desk: Callable[[], Handler] = obedient_desk,
    *,
    answer_seconds: float = 30,
    limits: Limits | None = None,
) -> AsyncIterator[Worker]:
    worker = Worker(desk, answer_seconds=answer_seconds, limits=limits)
    try:
        yield worker
    finally:
        await worker.close()


async def process_of(worker: Worker) -> int:
    kind, process = await worker.ask("process", None)
    assert kind == DONE
    assert isinstance(process, int)
    return process


def has_ended(process_fd: int) -> bool:
    """Wait until a process has ended; False if it is still there after ten seconds."""
    return bool(select.select([process_fd], [], [], 10)[0])


async def test_answers_are_what_was_asked_for() -> None:
    async with working() as worker, asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker.ask("echo", number)) for number in range(20)]
    assert [task.result() for task in tasks] == [(DONE, number) for number in range(20)]


async def test_a_long_question_has_a_long_answer() -> None:
    text = "long " * MIB
    async with working() as worker:
        assert await worker.ask("echo", text) == (DONE, text)


async def test_the_process_is_the_same_for_every_question() -> None:
    async with working() as worker:
        assert await process_of(worker) == await process_of(worker) != os.getpid()


async def test_a_bug_is_told_with_its_traceback_and_harms_nothing() -> None:
    async with working() as worker:
        kind, trace = await worker.ask("fail", "spilled")
        assert kind == BUG
        assert "ValueError: spilled" in str(trace)
        assert await worker.ask("echo", 1) == (DONE, 1)


async def test_an_error_for_a_person_keeps_its_code_and_message() -> None:
    async with working() as worker:
        assert await worker.ask("refuse", "No model.") == ("model_unavailable", "No model.")


async def test_what_a_library_prints_does_not_get_between_the_answers() -> None:
    async with working() as worker:
        assert await worker.ask("print", "noise") == (DONE, None)


async def test_after_a_death_in_the_middle_of_work_the_next_question_is_answered() -> None:
    async with working() as worker:
        process = await process_of(worker)
        with pytest.raises(WorkerDied):
            await worker.ask("die", None)
        assert await process_of(worker) != process


async def test_a_process_that_ended_while_idle_is_replaced_unnoticed() -> None:
    async with working() as worker:
        process = await process_of(worker)
        watch = os.pidfd_open(process)
        os.kill(process, signal.SIGKILL)
        await asyncio.to_thread(has_ended, watch)
        os.close(watch)
        # The loop has been told of the end by now, or is told while it waits for the answer.
        try:
            await worker.ask("echo", 1)
        except WorkerDied:
            await worker.ask("echo", 1)


async def test_a_process_that_dies_while_it_starts_is_told() -> None:
    async with working(crowded_desk) as worker:
        with pytest.raises(WorkerDied):
            await worker.ask("echo", 1)


async def test_a_process_that_hangs_is_ended_at_its_deadline() -> None:
    async with working(answer_seconds=2) as worker:
        with pytest.raises(TimeoutError):
            await worker.ask("hang", None)
        assert await worker.ask("echo", 1) == (DONE, 1)


async def test_the_answer_to_a_cancelled_question_reaches_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with working() as worker:
        process = await process_of(worker)
        task = asyncio.create_task(worker.ask("wait", str(pipe)))
        end = await asyncio.to_thread(pipe.open, "w")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        end.write("late")
        end.close()
        assert await worker.ask("echo", "ours") == (DONE, "ours")
        assert await process_of(worker) == process


async def test_an_answer_that_is_no_plain_value_is_not_loaded() -> None:
    async with working() as worker:
        with pytest.raises(WorkerDied):
            await worker.ask("path", "/")


async def test_our_keys_are_not_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    async with working() as worker:
        _, environment = await worker.ask("environment", None)
    assert isinstance(environment, dict)
    assert "PATH" in environment
    assert "secret" not in environment.values()


async def test_it_gets_no_more_memory_than_its_limit() -> None:
    async with working(limits=Limits(memory_bytes=512 * MIB)) as worker:
        assert await worker.ask("take", 64 * MIB) == (DONE, 64 * MIB)
        kind, trace = await worker.ask("take", 1024 * MIB)
        assert kind == BUG
        assert "MemoryError" in str(trace)


async def test_closing_ends_it_in_the_middle_of_work(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with working() as worker:
        watch = os.pidfd_open(await process_of(worker))
        task = asyncio.create_task(worker.ask("wait", str(pipe)))
        end = await asyncio.to_thread(pipe.open, "w")
        await worker.close()
        assert has_ended(watch)
        with pytest.raises(WorkerDied):
            await task
        with pytest.raises(WorkerDied):
            await worker.ask("echo", 1)
    end.close()
    os.close(watch)


def test_it_ends_in_the_middle_of_work_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        watch = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
    assert has_ended(watch)
    os.close(watch)
