"""Lets somebody else end a turn, before it begins, while it works, or too late."""

import asyncio
from contextlib import suppress
from enum import IntEnum

from app.graph.step_border import StepBorder


class StopReason(IntEnum):
    """Why a turn's work ends before its time; of two, the greater counts.

    HANDED_OVER: this node goes away: another one shall go on.
    CANCELLED: the person said so: what was said so far is the answer.
    LOST: another node has the run: nothing may be written any more.
    """

    HANDED_OVER = 1
    CANCELLED = 2
    LOST = 3


class Stop:
    """One turn's off switch, and its deadline.

    border: stops the turn where a step ends, which loses no work.
    """

    __slots__ = ("_asked", "_heeds_cancel", "_scope", "border")

    def __init__(self) -> None:
        self._asked: set[StopReason] = set()
        self.border = StepBorder()
        self._scope: asyncio.Timeout | None = None
        self._heeds_cancel = True

    @property
    def reason(self) -> StopReason | None:
        """Why the turn was told to stop; None where it was not, or ran out of time."""
        return max(self._asked, default=None)

    def ask(self, reason: StopReason) -> None:
        """End the turn's work with `TimeoutError`; nothing happens where it is over."""
        self._asked.add(reason)
        if self._scope is not None and self._is_heeded(reason):
            # Work that has ended by itself can't be ended any more.
            with suppress(RuntimeError):
                self._scope.reschedule(0)

    def scope(self, seconds: float, *, heeds_cancel: bool = True) -> asyncio.Timeout:
        """Return the context the turn works in; it ends at once where a stop was asked before.

        heeds_cancel: whether being cancelled ends it; what tells how a run ended is not.
        """
        self._heeds_cancel = heeds_cancel
        is_over = any(map(self._is_heeded, self._asked))
        self._scope = asyncio.timeout(0 if is_over else seconds)
        return self._scope

    def done(self) -> None:
        """Say that the work is over, so that asking has no effect any more."""
        self._scope = None

    def _is_heeded(self, reason: StopReason) -> bool:
        return self._heeds_cancel or reason is not StopReason.CANCELLED
