"""Lets somebody else end a turn, before it begins, while it works, or too late."""

import asyncio


class Stop:
    """One turn's off switch, and its deadline.

    asked: whether the turn was told to stop (as opposed to having run out of time).
    """

    __slots__ = ("_scope", "asked")

    def __init__(self) -> None:
        self.asked = False
        self._scope: asyncio.Timeout | None = None

    def ask(self) -> None:
        """End the turn's work with `TimeoutError`; nothing happens where it is over."""
        self.asked = True
        scope = self._scope
        if scope is not None and not scope.expired():
            scope.reschedule(0)

    def scope(self, seconds: float) -> asyncio.Timeout:
        """Return the context the turn works in; it ends at once where a stop was asked before."""
        self._scope = asyncio.timeout(0 if self.asked else seconds)
        return self._scope

    def done(self) -> None:
        """Say that the work is over, so that asking has no effect any more."""
        self._scope = None
