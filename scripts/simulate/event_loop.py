"""The clock of a simulation: what is due next, in order."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

Action = Callable[[], None]


class EventLoop:
    """Runs actions at their times; what is due at the same time runs in the order it was asked.

    now: seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Action]] = []
        self._asked = 0
        self._is_stopped = False

    def at(self, time: float, action: Action) -> None:
        """Run an action at a time; one that has passed is now."""
        self._asked += 1
        heappush(self._due, (max(time, self.now), self._asked, action))

    def after(self, seconds: float, action: Action) -> None:
        """Run an action so many seconds from now."""
        self.at(self.now + seconds, action)

    def run(self, until: float = inf) -> None:
        """Run all that is due up to and with a time; later things stay."""
        while self._due and self._due[0][0] <= until and not self._is_stopped:
            self.now, _, action = heappop(self._due)
            action()

    def stop(self) -> None:
        """Run nothing more."""
        self._is_stopped = True


class Server:
    """Serves one after the other, in the order of arrival, each by the worker that is free first.

    busy_seconds: how long all workers together have worked.
    """

    def __init__(self, loop: EventLoop, workers: int = 1) -> None:
        self._loop = loop
        self._free_at = [0.0] * workers
        self.busy_seconds = 0.0

    def serve(self, seconds: float) -> float:
        """Take a piece of work that arrives now and return when it is done."""
        begin = max(heappop(self._free_at), self._loop.now)
        self.busy_seconds += seconds
        heappush(self._free_at, begin + seconds)
        return begin + seconds
