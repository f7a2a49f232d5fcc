"""Follows a conversation event by event, for front doors that stream over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.turns.reading import Reading, Readings
from core.errors import NotFound
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor, EventBatch
from core.principal import Principal

BATCH_BYTES = 64 * 1024
LAST_EVENTS = ('{"type":"RUN_FINISHED"', '{"type":"RUN_ERROR"')


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One event and the cursor of a reader that has seen it.

    run_id: None for a snapshot.
    event: one encoded AG-UI event.
    """

    cursor: Cursor
    run_id: RunId | None
    event: str

    @property
    def ends_run(self) -> bool:
        """Whether its run says nothing more."""
        return self.event.startswith(LAST_EVENTS)


class Following:
    """A stream of one conversation's events. It is iterated once, and closes itself then."""

    def __init__(self, reading: Reading, woken: asyncio.Event) -> None:
        self._reading = reading
        self._woken = woken

    async def events(self, idle_seconds: float) -> AsyncIterator[NumberedEvent | None]:
        """Yield every event after the cursor, then the live ones, without end.

        None is yielded when nothing came for `idle_seconds`. Raises `NotFound` when the
        conversation is deleted meanwhile.
        """
        try:
            while True:
                self._woken.clear()
                batch = await self._take()
                if batch is not None:
                    for event in _numbered(batch):
                        yield event
                elif not await self._wait(idle_seconds):
                    yield None
        finally:
            self._reading.close()

    async def events_of(
        self, run_id: RunId, idle_seconds: float
    ) -> AsyncIterator[NumberedEvent | None]:
        """Yield one run's events up to its last; None as `events` does."""
        async for event in self.events(idle_seconds):
            if event is None:
                yield None
            elif event.run_id == run_id:
                yield event
                if event.ends_run:
                    return

    async def _take(self) -> EventBatch | None:
        try:
            return self._reading.take(BATCH_BYTES)
        except LookupError:
            await self._reading.renew()
            return self._reading.take(BATCH_BYTES)

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._woken.wait()
        except TimeoutError:
            return False


class Follower:
    """Opens followings."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    async def open(
        self, principal: Principal, conversation_id: ConversationId, after: Cursor | None
    ) -> Following:
        """Return a stream that goes on after the cursor. Raises `NotFound`."""
        woken = asyncio.Event()
        reading = await self._readings.open(principal, conversation_id, after, woken.set)
        return Following(reading, woken)

    async def head(self, principal: Principal, conversation_id: ConversationId) -> Cursor | None:
        """Return where the log stands now; None where there is no such conversation yet."""
        try:
            reading = await self._readings.open(principal, conversation_id, None, _ignore)
        except NotFound:
            return None
        reading.close()
        return Cursor(reading.epoch, reading.sequence)


def _numbered(batch: EventBatch) -> list[NumberedEvent]:
    return [
        NumberedEvent(Cursor(batch.epoch, batch.sequence + offset), batch.run_id, event)
        for offset, event in enumerate(batch.events)
    ]


def _ignore() -> None:
    return
