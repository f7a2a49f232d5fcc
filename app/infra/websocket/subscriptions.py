"""Keeps what one socket reads, and takes its frames from them in turn.

Nothing is queued here: a subscription is a position in the conversation's log, and a mark that
there may be something to take.
"""

from collections import deque
from collections.abc import Callable

from pydantic_core import to_json

from app.infra.websocket.ports import Reading
from core.ids import ConversationId, RunId
from core.ports.event_log import EventBatch

# What one frame of a long catch-up carries; the others have their turn in between.
BATCH_BYTES = 64 * 1024


class StaleReading(Exception):
    """The log has forgotten what a subscription wants next; it must be renewed."""

    def __init__(self, subscription: "Subscription") -> None:
        super().__init__()
        self.subscription = subscription


class Subscription:
    """One conversation that a socket reads.

    reading: None until it is open, and after its end.
    is_marked: whether its turn to be asked for frames will come.
    has_caught_up: whether it has ever seen the head of the log.
    is_renewed: whether its reading was renewed and has given nothing since.
    """

    __slots__ = (
        "_epoch",
        "_owner",
        "_prefix",
        "_run_id",
        "conversation_id",
        "has_caught_up",
        "is_marked",
        "is_renewed",
        "reading",
    )

    def __init__(self, owner: "Subscriptions", conversation_id: ConversationId) -> None:
        self._owner = owner
        self.is_marked = False
        self._prefix = ""
        self._run_id: RunId | None = None
        self._epoch = ""
        self.conversation_id = conversation_id
        self.reading: Reading | None = None
        self.has_caught_up = False
        self.is_renewed = False

    def wake(self) -> None:
        """Note that there may be something to take; called after every append."""
        if not self.is_marked:
            self._owner.mark(self)

    def next_frame(self) -> str | None:
        """Return the next frame; None at the log's head. Raises `LookupError`: renew it."""
        batch = self.reading.take(BATCH_BYTES) if self.reading else None
        if batch is None:
            self.has_caught_up = self.reading is not None
            return None
        self.is_renewed = False
        if batch.is_last:
            # Nothing more to ask for before the next append, which marks it again.
            self.has_caught_up = True
            self.is_marked = False
        return self._frame(batch)

    def lag_bytes(self) -> int:
        """Return how far it is behind, once it had caught up; a long way back is no lag."""
        if self.reading is None or not self.has_caught_up:
            return 0
        return self.reading.lag_bytes()

    def _frame(self, batch: EventBatch) -> str:
        # Text put together: a model of the frame costs 30 times as much (measured), and this is
        # the path of every token. A test reads it back as the frame `Events`.
        if batch.run_id != self._run_id or batch.epoch != self._epoch or not self._prefix:
            self._run_id, self._epoch = batch.run_id, batch.epoch
            self._prefix = events_prefix(self.conversation_id, batch.run_id, batch.epoch)
        return f'{self._prefix}{batch.sequence},"events":[{",".join(batch.events)}]}}'


class Subscriptions:
    """All that one socket reads.

    on_mark: called when there may be something to take; must not block.
    """

    __slots__ = ("_by_conversation", "_marked", "on_mark")

    def __init__(self) -> None:
        self._by_conversation: dict[ConversationId, Subscription] = {}
        self._marked: deque[Subscription] = deque()
        self.on_mark: Callable[[], None] = _ignore

    def __len__(self) -> int:
        return len(self._by_conversation)

    def add(self, conversation_id: ConversationId) -> Subscription:
        """Return a new subscription, for a reading to be opened; ends the one before it."""
        self.remove(conversation_id)
        subscription = Subscription(self, conversation_id)
        self._by_conversation[conversation_id] = subscription
        return subscription

    def start(self, subscription: Subscription, reading: Reading) -> None:
        """Take frames from a reading that is open now; closes it where nobody waits any more."""
        if self._by_conversation.get(subscription.conversation_id) is not subscription:
            reading.close()
            return
        subscription.reading = reading
        self.mark(subscription)

    def mark(self, subscription: Subscription) -> None:
        """Ask a subscription for frames when its turn comes."""
        if not subscription.is_marked and subscription.reading is not None:
            subscription.is_marked = True
            self._marked.append(subscription)
            self.on_mark()

    def remove(self, conversation_id: ConversationId) -> None:
        """End a subscription: none of its frames follows. Nothing happens where there is none."""
        subscription = self._by_conversation.pop(conversation_id, None)
        if subscription is not None and subscription.reading is not None:
            subscription.reading.close()
            subscription.reading = None

    def next_frame(self) -> str | None:
        """Return a frame of the one whose turn it is; None where nothing is left to take.

        Raises `StaleReading`.
        """
        marked = self._marked
        while marked:
            subscription = marked.popleft()
            try:
                frame = subscription.next_frame()
            except LookupError:
                subscription.is_marked = False
                raise StaleReading(subscription) from None
            if frame is not None:
                if subscription.is_marked:
                    marked.append(subscription)
                return frame
            subscription.is_marked = False
        return None

    def lag_bytes(self) -> int:
        """Return how far the slowest is behind, of those that had caught up."""
        return max((each.lag_bytes() for each in self._by_conversation.values()), default=0)

    def close(self) -> None:
        """End all."""
        for conversation_id in tuple(self._by_conversation):
            self.remove(conversation_id)
        self._marked.clear()
        # Who is called holds this object; with the collector tuned down, the circle is cut here.
        self.on_mark = _ignore


def _ignore() -> None:
    return


def events_prefix(conversation_id: ConversationId, run_id: RunId | None, epoch: str) -> str:
    """Return an `events` frame up to where its sequence stands."""
    head = {
        "type": "events",
        "conversation_id": conversation_id,
        "run_id": run_id,
        "epoch": epoch,
    }
    return f'{to_json(head).decode().removesuffix("}")},"sequence":'
