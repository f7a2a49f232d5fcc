"""Visits every socket about once a second: one task for all of them."""

import asyncio
import math
from typing import Protocol

import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

_SLOTS = 10
_VISIT_SECONDS = 1.0


class Beating(Protocol):
    """What is visited."""

    def visit(self, now: float, *, is_beat: bool) -> None:
        """Look at the deadlines, and say that the node is alive where `is_beat`. Never blocks.

        now: the loop's time, in seconds.
        """
        ...


class Heartbeat:
    """Lets sockets beat every `beat_seconds`, and look at their deadlines once a second.

    A timer for every socket and every send would cost more than the sending. The sockets are
    spread over slots that are visited one after the other, so that they never all send at once.
    """

    def __init__(self, beat_seconds: float) -> None:
        self._visits_per_beat = math.ceil(beat_seconds / _VISIT_SECONDS)
        self._pause_seconds = beat_seconds / self._visits_per_beat / _SLOTS
        self._slots: tuple[set[Beating], ...] = tuple(set() for _ in range(_SLOTS))

    def add(self, socket: Beating) -> None:
        """Visit a socket from now on."""
        min(self._slots, key=len).add(socket)

    def discard(self, socket: Beating) -> None:
        """Visit a socket no more."""
        for slot in self._slots:
            slot.discard(socket)

    async def run(self) -> None:
        """Go round until cancelled."""
        loop = asyncio.get_running_loop()
        step, due = 0, loop.time()
        while True:
            # From when it was due, so that no time is lost; after a stall the lost rounds are not
            # made up for.
            due = max(due + self._pause_seconds, loop.time())
            await asyncio.sleep(due - loop.time())
            self.visit_slot(step, loop.time())
            step += 1

    def visit_slot(self, step: int, now: float) -> None:
        """Visit the sockets whose turn it is."""
        turn, slot = divmod(step, _SLOTS)
        is_beat = (turn + slot) % self._visits_per_beat == 0
        for socket in tuple(self._slots[slot]):
            try:
                socket.visit(now, is_beat=is_beat)
            except Exception:
                # A bug in one socket may not stop the clock of all.
                log.exception("socket_visit_failed")
