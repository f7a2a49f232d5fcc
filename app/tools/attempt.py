"""Calls a tool: breaker, deadline, repetitions; whatever happens is a result.

What a tool raises, and what it comes to (a write that may have happened is `UNKNOWN`):

Repairable                                         INVALID
ToolError; an AppError that is not retryable       FAILED
ToolUnavailable, Busy; CircuitOpen                 UNAVAILABLE
MayHaveHappened, TimeoutError, other AppErrors     FAILED, of a write UNKNOWN
any other Exception (a bug, logged)                FAILED, of a write UNKNOWN
Internal                                           raised: the run ends
"""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, cast

import structlog

from app.tools.outputs import output_of
from app.tools.result import Result
from app.tools.threads import Threads
from app.tools.tool import (
    MayHaveHappened,
    Repairable,
    Tool,
    ToolContext,
    ToolError,
    ToolUnavailable,
)
from core.errors import AppError, Busy, Internal
from core.ports.breakers import Breakers, CircuitOpen, Uncounted
from core.tools import Effect, Outcome

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 0.2
"""Longest pause before the first repetition; it doubles with each."""

_ANSWERS = (Repairable, ToolError)
"""What a tool that works may say: it says nothing against what it calls."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What one try came to, and whether another may come to more."""

    result: Result
    is_transient: bool = False


class Attempts:
    """Makes calls. retry_seconds: the longest pause before the first repetition."""

    def __init__(self, breakers: Breakers, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self._breakers = breakers
        self._retry_seconds = retry_seconds
        self._threads = Threads()

    async def make(self, tool: Tool, arguments: object, context: ToolContext) -> Result:
        """Return what a call came to, within the tool's deadline. Raises `Internal`.

        Cancelling reaches the tool; whether a write has happened by then is not known.
        """
        now = asyncio.get_running_loop().time
        end = now() + tool.deadline_seconds
        tried = await self._try(tool, arguments, context, tool.deadline_seconds)
        for number in range(tool.retries):
            pause = random.uniform(0, self._retry_seconds * 2**number)
            # No repetition with less than half of what is left: it would time out, and the
            # breaker would hold that against the server.
            if not tried.is_transient or 2 * pause > end - now():
                break
            await asyncio.sleep(pause)
            tried = await self._try(tool, arguments, context, end - now())
        return tried.result

    async def _try(
        self, tool: Tool, arguments: object, context: ToolContext, seconds: float
    ) -> _Tried:
        try:
            given = await self._call(tool, arguments, context, seconds)
        except CircuitOpen as error:
            return _Tried(_circuit_open(tool, error))
        except Internal:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled the call: something inside the tool was, which is its failure.
            return _failure(tool, RuntimeError(f"{tool.name} cancelled itself: {error!r}"))
        except Exception as error:
            return _failure(tool, error)
        output = output_of(given, tool.max_output_chars)
        return _Tried(Result(Outcome.DONE, output.text, output.parts))

    async def _call(
        self, tool: Tool, arguments: object, context: ToolContext, seconds: float
    ) -> object:
        is_over = threading.Event()
        context = replace(context, is_cancelled=is_over.is_set)

        async def work() -> object:
            if tool.is_blocking:
                return await self._threads.run(lambda: tool.function(arguments, context))
            # A tool that is not blocking is a coroutine function.
            return await cast(Awaitable[object], tool.function(arguments, context))

        try:
            if tool.circuit is None:
                async with asyncio.timeout(seconds):
                    return await work()
            return await self._breakers.call(tool.circuit, _counted(work), seconds=seconds)
        finally:
            is_over.set()


def _counted(work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    async def counted() -> object:
        try:
            return await work()
        except _ANSWERS as error:
            raise Uncounted(error) from error
        except AppError as error:
            if error.retryable:
                raise
            raise Uncounted(error) from error

    return counted


def _circuit_open(tool: Tool, error: CircuitOpen) -> Result:
    text = f"{tool.name} is not available now: what it needs does not answer."
    return Result(Outcome.UNAVAILABLE, text, (), error.name, error.retry_after_seconds)


def _failure(tool: Tool, error: Exception) -> _Tried:
    match error:
        case Repairable():
            return _Tried(Result(Outcome.INVALID, str(error)))
        case ToolError():
            return _Tried(Result(Outcome.FAILED, str(error)))
        case ToolUnavailable() | Busy():
            return _Tried(Result(Outcome.UNAVAILABLE, str(error)), is_transient=True)
        case AppError() if not error.retryable:
            return _Tried(Result(Outcome.FAILED, error.message))
        case MayHaveHappened() | AppError():
            return _Tried(_unsure(tool, str(error)), is_transient=True)
        case TimeoutError():
            text = f"{tool.name} gave no answer within {tool.deadline_seconds:g} seconds."
            return _Tried(_unsure(tool, text), is_transient=True)
        case _:
            # The border of the call: a bug in one tool is neither the turn's end nor the others'.
            log.error("tool.failed", tool=tool.name, exc_info=error)
            return _Tried(_unsure(tool, f"{tool.name} failed through a fault of this server."))


def _unsure(tool: Tool, text: str) -> Result:
    if tool.effect is Effect.READ:
        return Result(Outcome.FAILED, text)
    return Result(Outcome.UNKNOWN, f"{text} Whether it happened is not known.")
