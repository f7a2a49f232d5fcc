"""One conversation's events in memory, numbered and bounded."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate

from core.ids import RunId
from core.ports.event_log import Cursor, EventBatch, LogBounds

# What an event costs beside its text: the string object and its two list entries.
ENTRY_BYTES = 96


def size_of(events: Sequence[str]) -> int:
    """Return about how much memory events take in a log."""
    if len(events) == 1:
        # The path of every token.
        return len(events[0]) + ENTRY_BYTES
    return sum(map(len, events)) + ENTRY_BYTES * len(events)


class LogWatch:
    """See `Watch`."""

    __slots__ = ("_log", "wake")

    def __init__(self, log: "ConversationLog", wake: Callable[[], None]) -> None:
        self._log = log
        self.wake = wake

    def bytes_after(self, sequence: int) -> int:
        """See `Watch`."""
        return self._log.bytes_after(sequence)

    def close(self) -> None:
        """See `Watch`."""
        self._log.unwatch(self)


class ConversationLog:
    """Events from `base + 1` to the head; the first `base_messages` messages tell those before.

    A new epoch of a conversation that has messages keeps sequence 1 for the snapshot of them.
    """

    __slots__ = (
        "_base",
        "_base_messages",
        "_epoch",
        "_events",
        "_run_starts",
        "_runs",
        "_settled",
        "_sizes",
        "_watches",
    )

    def __init__(self, epoch: str, base: int, base_messages: int) -> None:
        self._watches: list[LogWatch] = []
        self._begin(epoch, base, base_messages)

    def _begin(self, epoch: str, base: int, base_messages: int) -> None:
        self._epoch = epoch
        self._base = base
        self._base_messages = base_messages
        self._events: list[str] = []
        # _sizes[i]: bytes of all events up to and with the i-th, counted since the log began.
        self._sizes: list[int] = []
        self._run_starts: list[int] = []
        self._runs: list[RunId] = []
        self._settled: deque[tuple[int, int]] = deque([(base, base_messages)])

    @property
    def epoch(self) -> str:
        """Which life of the log this is."""
        return self._epoch

    @property
    def base(self) -> int:
        """Sequence of the last event that is not here any more."""
        return self._base

    @property
    def head(self) -> int:
        """Sequence of the last event."""
        return self._base + len(self._events)

    @property
    def is_watched(self) -> bool:
        """Whether anybody reads it."""
        return bool(self._watches)

    @property
    def size_bytes(self) -> int:
        """About how much memory the events take."""
        return self.bytes_after(self._base) + ENTRY_BYTES * len(self._events)

    @property
    def is_idle(self) -> bool:
        """Whether nobody reads it and all it says is on disk."""
        return not self._watches and self._settled[-1][0] == self.head

    def bounds(self) -> LogBounds:
        """Return what can still be read."""
        return LogBounds(self._epoch, self._base, self._base_messages, self.head)

    def append(self, run_id: RunId, events: Sequence[str]) -> int:
        """Add events, wake the readers, return the head."""
        if not self._runs or self._runs[-1] != run_id:
            self._run_starts.append(self.head + 1)
            self._runs.append(run_id)
        size = self._sizes[-1] if self._sizes else 0
        if len(events) == 1:
            # The path of every token.
            self._events.append(events[0])
            self._sizes.append(size + len(events[0]))
        else:
            self._events.extend(events)
            self._sizes.extend(list(accumulate(map(len, events), initial=size))[1:])
        self.wake()
        return self.head

    def restart(self, epoch: str, base: int, base_messages: int) -> None:
        """Begin anew, empty; the readers are woken to find out."""
        self._begin(epoch, base, base_messages)
        self.wake()

    def wake(self) -> None:
        """Tell every reader that there is something to see."""
        for watch in self._watches:
            watch.wake()

    def watch(self, wake: Callable[[], None]) -> LogWatch:
        """Add a reader."""
        watch = LogWatch(self, wake)
        self._watches.append(watch)
        return watch

    def unwatch(self, watch: LogWatch) -> None:
        """Remove a reader; nothing happens where it is gone."""
        # A new list: a reader may leave while `wake` goes over the old one.
        self._watches = [other for other in self._watches if other is not watch]

    def bytes_after(self, sequence: int) -> int:
        """Return the size of the events after this one."""
        index = sequence - self._base
        if not self._sizes or not 0 <= index < len(self._sizes):
            return 0
        before = self._sizes[index - 1] if index else self._sizes[0] - len(self._events[0])
        return self._sizes[-1] - before

    def read(self, after: Cursor, limit_bytes: int) -> EventBatch | None:
        """See `EventTail.read`."""
        if after.epoch != self._epoch or not self._base <= after.sequence <= self.head:
            raise LookupError(after)
        first = after.sequence - self._base
        if first == len(self._events):
            return None
        run = bisect_right(self._run_starts, after.sequence + 1) - 1
        end = self._end(first, limit_bytes)
        if run + 1 < len(self._runs):
            end = min(end, self._run_starts[run + 1] - self._base - 1)
        return EventBatch(
            self._runs[run],
            self._epoch,
            after.sequence + 1,
            self._events[first:end],
            end == len(self._events),
        )

    def _end(self, first: int, limit_bytes: int) -> int:
        """Return where a batch from `first` ends: one event at least, then while they fit."""
        if first + 1 == len(self._events):
            return first + 1
        before = self._sizes[first] - len(self._events[first])
        return max(first + 1, bisect_left(self._sizes, before + limit_bytes, lo=first))

    def settle(self, message_count: int, limit_bytes: int) -> None:
        """Note what is on disk, and forget the oldest of it while the log is over its limit."""
        if self._settled[-1][0] == self.head:
            return
        self._settled.append((self.head, message_count))
        # The last run stays, so that a reader that is a little late needs no snapshot.
        while len(self._settled) > 2 and self.size_bytes > limit_bytes:
            self._settled.popleft()
            self.trim(*self._settled[0])

    def trim(self, base: int, message_count: int) -> None:
        """Forget the events up to `base`, which `message_count` messages tell; never the head."""
        count = base - self._base
        if not 0 < count <= len(self._events):
            return
        del self._events[:count]
        del self._sizes[:count]
        while len(self._run_starts) > 1 and self._run_starts[1] <= base + 1:
            del self._run_starts[0]
            del self._runs[0]
        self._base = base
        self._base_messages = message_count
