"""One reader's way through a conversation: what it missed, then what comes, by one path."""

from collections.abc import Callable

from app.turns.snapshot import snapshot_batch
from core.ids import ConversationId
from core.ports.conversation_store import ConversationStore
from core.ports.event_log import Cursor, EventBatch, EventTail, LogBounds, Watch
from core.principal import Principal


class Readings:
    """Opens readings; front doors hold one reading for each subscription."""

    def __init__(self, tail: EventTail, conversations: ConversationStore) -> None:
        self._tail = tail
        self._conversations = conversations

    async def open(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        after: Cursor | None,
        wake: Callable[[], None],
    ) -> "Reading":
        """Return a reading that goes on after the cursor, or from the first event without one.

        wake: called when there may be something to take; must not block. Raises `NotFound`.
        """
        reading = Reading(self._tail, self._conversations, principal, conversation_id, wake)
        await reading.start(after)
        return reading


class Reading:
    """A position in a conversation's log.

    epoch, sequence: the head of the log when the reading began.
    recovered: whether what follows continues exactly at the cursor that was given; if not, the
        first batch is a snapshot that replaces all the reader has.
    """

    __slots__ = (
        "_conversations",
        "_cursor",
        "_principal",
        "_snapshot",
        "_tail",
        "_wake",
        "_watch",
        "conversation_id",
        "epoch",
        "recovered",
        "sequence",
    )

    def __init__(
        self,
        tail: EventTail,
        conversations: ConversationStore,
        principal: Principal,
        conversation_id: ConversationId,
        wake: Callable[[], None],
    ) -> None:
        self._tail = tail
        self._conversations = conversations
        self._principal = principal
        self._wake = wake
        self._snapshot: EventBatch | None = None
        self._watch: Watch | None = None
        self._cursor = Cursor("", 0)
        self.conversation_id = conversation_id
        self.epoch = ""
        self.sequence = 0
        self.recovered = False

    async def start(self, after: Cursor | None) -> None:
        """Find the place to go on from. Raises `NotFound`."""
        conversation = await self._conversations.get(self._principal, self.conversation_id)
        bounds = await self._tail.open(conversation, after)
        self.close()
        self._watch = self._tail.watch(self.conversation_id, self._wake)
        self.epoch, self.sequence = bounds.epoch, bounds.head
        place = after or Cursor(bounds.epoch, 0)
        self.recovered = bounds.can_continue(place)
        self._snapshot = None
        self._cursor = place
        if not self.recovered:
            try:
                await self._start_from_snapshot(bounds)
            except BaseException:
                # Nobody closes a reading that did not begin.
                self.close()
                raise

    async def _start_from_snapshot(self, bounds: LogBounds) -> None:
        messages = await self._conversations.messages(
            self._principal, self.conversation_id, until=bounds.base_messages
        )
        self._snapshot = snapshot_batch(bounds, messages)
        self._cursor = Cursor(bounds.epoch, bounds.base)

    def take(self, limit_bytes: int) -> EventBatch | None:
        """Return the next batch, or None where there is nothing more yet.

        Raises `LookupError` where the log has forgotten what comes next: call `renew`.
        """
        if self._snapshot is not None:
            batch, self._snapshot = self._snapshot, None
            return batch
        following = self._tail.read(self.conversation_id, self._cursor, limit_bytes)
        if following is not None:
            last = following.sequence + len(following.events) - 1
            self._cursor = Cursor(following.epoch, last)
        return following

    async def renew(self) -> None:
        """Go on from what the log still has, with a snapshot first. Raises `NotFound`."""
        await self.start(self._cursor)

    def lag_bytes(self) -> int:
        """Return how much was appended and not yet taken."""
        return self._watch.bytes_after(self._cursor.sequence) if self._watch else 0

    def close(self) -> None:
        """Stop being woken; may be called twice."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
