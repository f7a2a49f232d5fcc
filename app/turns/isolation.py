"""Has a node step aside while it alone has lost the log."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from core.ports.neighbours import LogSight, Neighbours, Pulse

POLL_SECONDS = 0.25
# Longer than a Redis that is started again takes, than a slow way, and than an answer is waited
# for; with what it takes to hear of the others (one to two seconds) and to take a run, still well
# below what a killed node costs.
SILENT_SECONDS = 2.5
# A loop that stood still has not listened: what was silent before does not count.
STALL_SECONDS = 1.0
# So long answers have to come again; twice as long each time that it did not last a minute.
BACK_SECONDS = 2.0
BACK_LIMIT_SECONDS = 32.0
LASTING_SECONDS = 60.0
# After so long without anybody who sees the log it is lost for all: then a node keeps its runs.
ALONE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Isolation:
    """Compares what this node sees of the log with what others do.

    A log that is down for everybody changes nothing: whoever has a run goes on with it. What
    only this node can't reach, another one can: there its runs go on, and there its readers
    see what is said.

    count: how often the node has stepped aside.
    """

    def __init__(self, pulse: Pulse, neighbours: Neighbours) -> None:
        self._pulse = pulse
        self._neighbours = neighbours
        self._is_cut_off = False
        self._listens_since = self._looked_at = float("-inf")
        self._witnessed_at = float("-inf")
        self._back_at = float("-inf")
        self._back_seconds = BACK_SECONDS
        self.count = 0

    async def run(
        self, step_aside: Callable[[], Awaitable[None]], step_in: Callable[[], None]
    ) -> None:
        """Look again and again until cancelled.

        step_aside: called when the node is cut off. step_in: when it is not any more.
        """
        self._neighbours.tell(self._pulse.sight)
        loop = asyncio.get_running_loop()
        while True:
            was_cut_off, is_cut_off = self._is_cut_off, self.look(loop.time())
            if is_cut_off and not was_cut_off:
                log.warning("log.cut_off", reason="Others reach Redis, and this node does not.")
                await step_aside()
            elif was_cut_off and not is_cut_off:
                log.warning("log.not_cut_off")
                step_in()
            await asyncio.sleep(POLL_SECONDS)

    def look(self, now: float) -> bool:
        """Return whether the node is cut off, by what is known at this time of the loop."""
        if now - self._looked_at > STALL_SECONDS:
            self._listens_since = now
        self._looked_at = now
        if self._neighbours.see_log():
            self._witnessed_at = now
        sight = self._pulse.sight()
        if self._is_cut_off:
            self._is_cut_off = not self._is_back(sight, now)
        elif self._is_lost(sight, now):
            self._is_cut_off = True
            self.count += 1
            is_again = now - self._back_at < LASTING_SECONDS
            seconds = 2 * self._back_seconds if is_again else BACK_SECONDS
            self._back_seconds = min(seconds, BACK_LIMIT_SECONDS)
        return self._is_cut_off

    def _is_lost(self, sight: LogSight, now: float) -> bool:
        silent_seconds = min(sight.silent_seconds, now - self._listens_since)
        return silent_seconds >= SILENT_SECONDS and self._witnessed_at == now

    def _is_back(self, sight: LogSight, now: float) -> bool:
        is_answered = sight.silent_seconds < SILENT_SECONDS
        is_steady = is_answered and sight.steady_seconds >= self._back_seconds
        is_alone = now - self._witnessed_at > ALONE_SECONDS
        if is_steady:
            self._back_at = now
        return is_steady or is_alone
