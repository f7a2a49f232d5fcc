"""The port to the hot log of what is said in each conversation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from core.conversations import Conversation, LogMark
from core.ids import ConversationId, RunId
from core.runs import Run


# Two of these are made for every token and reader: a tuple takes 260 ns to make, a frozen
# dataclass 430 (measured).
class Cursor(NamedTuple):
    """A place in a conversation's log: the last event a reader has seen.

    epoch: which life of the log; a cursor of another epoch proves nothing.
    sequence: position in the conversation, from 1; 0 before the first event.
    """

    epoch: str
    sequence: int


@dataclass(frozen=True, slots=True)
class LogBounds:
    """What a log can still give.

    base: every event after it can be read; it and all before it are told by a snapshot of the
        first `base_messages` stored messages. 0 while nothing was trimmed.
    head: sequence of the last event.
    """

    epoch: str
    base: int
    base_messages: int
    head: int

    def can_continue(self, cursor: Cursor) -> bool:
        """Whether all that follows the cursor can be given."""
        return cursor.epoch == self.epoch and self.base <= cursor.sequence <= self.head


class EventBatch(NamedTuple):
    """Consecutive events of one run.

    run_id: None for a snapshot, which stands for many runs.
    sequence: that of the first.
    events: AG-UI events, each encoded as one JSON object.
    is_last: whether it ends at the head of the log; the next append wakes the reader again.
    """

    run_id: RunId | None
    epoch: str
    sequence: int
    events: Sequence[str]
    is_last: bool = False


class Watch(Protocol):
    """A reader's interest in a conversation."""

    def bytes_after(self, sequence: int) -> int:
        """Return the size of all events after this one, 0 where the log forgot them."""
        ...

    def close(self) -> None:
        """Stop waking the reader; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class TakenLog:
    """What a run finds when it begins, or goes on, to speak.

    said: what earlier attempts at this run have said, encoded; empty for the first.
    restarted_at: set where the log had to begin a new epoch, because nobody knows any more which
        numbers were given: keep it with the conversation before anything is said.
    """

    said: Sequence[str] = ()
    restarted_at: LogMark | None = None


class EventLog(Protocol):
    """Orders the events of every conversation: the side of the run that speaks.

    One run at a time speaks in a conversation: the one with the highest fence.
    """

    async def take(self, run: Run, lost: Callable[[], None]) -> TakenLog:
        """Let this attempt speak from now on, and nobody before it.

        lost: called once when another attempt has taken the log; nothing more is heard of this
            one. Raises `StorageUnavailable`.
        """
        ...

    def append(self, run: Run, events: Sequence[str]) -> int:
        """Add events and return the last sequence; never blocks.

        Readers see them in order, and only once they can't be lost with this node alone. Raises
        `KeyError` where the log was not taken, is lost, or its conversation was deleted.
        """
        ...

    async def flushed(self, run: Run, seconds: float) -> bool:
        """Wait until readers on every node can see all that was appended; False where it is late.

        Raises `KeyError` as `append` does.
        """
        ...

    def leave(self, run: Run, message_count: int | None = None) -> LogMark | None:
        """Speak no more; what is not flushed by then is dropped.

        message_count: how long the transcript is, where all that was said is on disk: the log
            may then forget it, now or later. Returns the log's end in that case, None where the
            log is not kept beyond this process.
        """
        ...

    def forget(self, conversation_id: ConversationId) -> None:
        """Drop the log of a conversation that was deleted; its readers are woken to find out."""
        ...


class EventTail(Protocol):
    """Gives the events of every conversation: the side of those who read.

    Readers pull: the log is the only buffer, so a slow reader costs its cursor and no more.
    """

    async def open(self, conversation: Conversation, after: Cursor | None) -> LogBounds:
        """Return the bounds of the log on this node, following it from now on.

        after: where the reader wants to go on; a log that is just being rebuilt is waited for, a
            little, until it has that place. Raises `StorageUnavailable`.
        """
        ...

    def read(
        self, conversation_id: ConversationId, after: Cursor, limit_bytes: int
    ) -> EventBatch | None:
        """Return what follows `after`: one run's events, about `limit_bytes`; None at the head.

        Raises `LookupError` where that can't be given any more (other epoch, trimmed, forgotten):
        the reader starts again from `open`.
        """
        ...

    def watch(self, conversation_id: ConversationId, wake: Callable[[], None]) -> Watch:
        """Call `wake` after every append until the watch is closed. `wake` must not block.

        It is also called where the log was replaced: `read` then raises `LookupError`. Raises
        `KeyError` where the log is not open. A watched log is not forgotten to make room.
        """
        ...
