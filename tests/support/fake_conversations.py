"""Stand-ins for what the socket asks: conversations that are read, and runs that are taken."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.errors import AppError, NotFound
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor, EventBatch
from core.principal import LOCAL, Principal
from core.runs import RunRequest

SNAPSHOT = '{"type":"MESSAGES_SNAPSHOT","messages":[]}'


@dataclass
class FakeConversation:
    """A log of (run, event) that may forget its beginning."""

    epoch: str = "life-1"
    owner: Principal = LOCAL
    base: int = 0
    said: list[tuple[RunId, str]] = field(default_factory=list)
    readings: list["FakeReading"] = field(default_factory=list)

    @property
    def head(self) -> int:
        return self.base + len(self.said)

    def say(self, run_id: str, *events: str) -> None:
        self.said.extend((RunId(run_id), event) for event in events)
        for reading in tuple(self.readings):
            reading.wake()

    def trim(self) -> None:
        """Forget everything up to the head."""
        self.base, self.said = self.head, []


class FakeReading:
    """See `app.infra.websocket.ports.Reading`.

    renewal_error: raised by `renew`. is_renewable: whether renewing helps.
    has_bug: whether `take` raises what nobody expects.
    """

    def __init__(
        self, conversation: FakeConversation, after: Cursor | None, wake: Callable[[], None]
    ) -> None:
        self._conversation = conversation
        self.wake = wake
        self.epoch = conversation.epoch
        self.sequence = conversation.head
        place = after or Cursor(conversation.epoch, 0)
        self.recovered = (
            place.epoch == conversation.epoch
            and conversation.base <= place.sequence <= conversation.head
        )
        self._has_snapshot = not self.recovered
        self._place = place.sequence if self.recovered else conversation.base
        self.renewal_error: AppError | None = None
        self.is_renewable = True
        self.has_bug = False
        conversation.readings.append(self)

    def take(self, limit_bytes: int) -> EventBatch | None:
        if self._has_snapshot:
            self._has_snapshot = False
            return EventBatch(None, self.epoch, self._conversation.base, (SNAPSHOT,))
        if self.has_bug:
            raise ValueError
        missing = self._missing()
        if not missing:
            return None
        run_id = missing[0][0]
        events: list[str] = []
        for other, event in missing:
            if other != run_id or (events and sum(map(len, events)) + len(event) > limit_bytes):
                break
            events.append(event)
        first = self._place + 1
        self._place += len(events)
        return EventBatch(run_id, self.epoch, first, events)

    def _missing(self) -> Sequence[tuple[RunId, str]]:
        if self._place < self._conversation.base:
            raise LookupError(self._place)
        return self._conversation.said[self._place - self._conversation.base :]

    async def renew(self) -> None:
        if self.renewal_error is not None:
            raise self.renewal_error
        if self.is_renewable:
            self._has_snapshot = True
            self._place = self._conversation.base

    def lag_bytes(self) -> int:
        return sum(len(event) for _, event in self._missing())

    def close(self) -> None:
        if self in self._conversation.readings:
            self._conversation.readings.remove(self)


class FakeReadings:
    """See `app.infra.websocket.ports.Readings`; `is_awake`: cleared, `open` waits."""

    def __init__(self) -> None:
        self.is_awake = asyncio.Event()
        self.is_awake.set()
        self.conversations: dict[str, FakeConversation] = {}

    def add(self, conversation_id: str) -> FakeConversation:
        return self.conversations.setdefault(conversation_id, FakeConversation())

    async def open(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        after: Cursor | None,
        wake: Callable[[], None],
    ) -> FakeReading:
        await self.is_awake.wait()
        conversation = self.conversations.get(conversation_id)
        if conversation is None or conversation.owner != principal:
            raise NotFound("There is no such conversation.")
        return FakeReading(conversation, after, wake)


@dataclass(frozen=True)
class FakeAdmission:
    """See `app.infra.websocket.ports.Admission`."""

    run_id: RunId
    conversation_id: ConversationId
    duplicate: bool


class FakeTurns:
    """See `app.infra.websocket.ports.Turns`.

    failure: raised by the next calls.
    is_awake: cleared, `submit` waits as a slow disk makes it wait.
    """

    def __init__(self) -> None:
        self.is_awake = asyncio.Event()
        self.is_awake.set()
        self.submitted: list[RunRequest] = []
        self.cancelled: list[RunId] = []
        self.failure: Exception | None = None

    async def submit(self, request: RunRequest) -> FakeAdmission:
        await self.is_awake.wait()
        if self.failure is not None:
            raise self.failure
        known = any(each.run_id == request.run_id for each in self.submitted)
        if not known:
            self.submitted.append(request)
        return FakeAdmission(request.run_id, request.conversation_id, known)

    async def cancel(self, principal: Principal, run_id: RunId) -> None:
        if self.failure is not None:
            raise self.failure
        self.cancelled.append(run_id)
