"""Functions that block, each in a thread of its own."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from app.tools.threads import Threads

WHO: ContextVar[str] = ContextVar("who", default="nobody")


async def test_a_function_gives_its_value_and_knows_its_callers_context() -> None:
    WHO.set("me")
    assert await Threads().run(WHO.get) == "me"


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), SystemExit(1)])
async def test_what_a_function_raises_is_raised_as_an_error(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises((ValueError, RuntimeError)):
        await Threads().run(fail)


async def test_no_more_than_the_limit_are_at_work_and_those_given_up_count() -> None:
    threads, free, begun = Threads(1), threading.Event(), threading.Event()

    def block() -> str:
        begun.set()
        free.wait(10)
        return "late"

    first = asyncio.ensure_future(threads.run(block))
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    second = asyncio.ensure_future(threads.run(lambda: "second"))
    await asyncio.sleep(0)
    assert not second.done()

    free.set()

    assert await second == "second"
    assert first.cancelled()


async def test_one_that_is_given_up_while_it_waits_takes_no_place() -> None:
    threads, free = Threads(1), threading.Event()
    first = asyncio.ensure_future(threads.run(lambda: free.wait(10)))
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(threads.run(lambda: True))
    await asyncio.sleep(0)

    waiting.cancel()
    free.set()

    assert await first
    assert await threads.run(lambda: "third") == "third"


def test_a_thread_that_ends_after_its_loop_bothers_nobody() -> None:
    free, done = threading.Event(), threading.Event()

    def block() -> None:
        free.wait(10)
        done.set()

    async def give_up() -> None:
        async with asyncio.timeout(0.001):
            await Threads().run(block)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    free.set()
    assert done.wait(10)
