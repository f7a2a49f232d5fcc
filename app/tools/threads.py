"""Runs functions that block, each in a thread of its own."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

T = TypeVar("T")

LIMIT: Final = 64
"""How many may be at work; one that nobody waits for any more counts until it ends."""


class Threads:
    """Threads for tools. They are not the loop's own, so that one that hangs holds up nobody else.

    A process that stops does not wait for them.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._free = asyncio.Semaphore(limit)

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` gives; waits while `LIMIT` others are at work.

        Cancelling stops the waiting only: the function has to notice by itself.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            tell: Callable[[], None]
            try:
                tell = partial(answer.set_result, context.run(function))
            except BaseException as error:
                tell = partial(answer.set_exception, _tellable(error))
            # The loop may be gone: then nobody waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._finish, answer, tell)

        threading.Thread(target=work, name="tool", daemon=True).start()
        return await answer

    def _finish(self, answer: asyncio.Future[T], tell: Callable[[], None]) -> None:
        self._free.release()
        if not answer.done():
            tell()


def _tellable(error: BaseException) -> Exception:
    """Return an error that a future takes and that ends no task group."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"The function ended with {type(error).__name__}.")
    wrapped.__cause__ = error
    return wrapped
