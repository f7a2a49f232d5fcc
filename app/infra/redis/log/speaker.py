"""What one attempt at a run has said, kept by its node until it speaks no more."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from app.infra.redis.log.link import Command, Link, packed
from app.infra.redis.log.message import Keys, pack, run_name
from app.infra.redis.log.scripts import KEEP_SECONDS, RESUME
from core.conversation_log import ENTRY_BYTES, size_of
from core.conversations import LogMark
from core.runs import Run

# One entry of the stream, and one message to a subscriber, is about this large at most.
ENTRY_LIMIT_BYTES = 256 * 1024
# So many events are not worth counting.
FEW_EVENTS = 32
# So long after it was known to be this node's, a run is taken to be so: shorter than any lease.
SURE_SECONDS = 0.8
# Keeps the log alive.
RESUME_SECONDS = KEEP_SECONDS / 6


class Piece(NamedTuple):
    """Consecutive events on their way to Redis."""

    first: int
    events: Sequence[str]

    @property
    def last(self) -> int:
        """Sequence of the last event."""
        return self.first + len(self.events) - 1

    @property
    def size_bytes(self) -> int:
        """About how much is on its way."""
        return size_of(self.events)


class Speaker:
    """An attempt that may speak, and its events: Redis may lose them, then they are sent again.

    mark: where the log stood before the run's first event; whoever makes it anew begins there.
    head: sequence of the last event. flushed: of the last that Redis is known to have.
    is_waiting: whether it is in its flusher's list.
    is_over: nothing is said or sent any more.
    packed_keys: its keys as they stand in a command.
    """

    __slots__ = (
        "_acknowledged", "_epoch", "_events", "_first", "_is_confirmed", "_kept_bytes",
        "_limit_bytes", "_link", "_lost", "_resume_at", "_run_name", "_sure_until",
        "_waiters", "_writer", "flushed", "head", "is_over", "is_waiting", "keys", "mark",
        "packed_keys", "run",
    )  # fmt: skip

    def __init__(
        self,
        run: Run,
        mark: LogMark,
        said: Sequence[str],
        keys: Keys,
        limit_bytes: int,
        lost: Callable[[], None],
    ) -> None:
        self.run = run
        self.mark = mark
        self.keys = keys
        self.packed_keys = b"".join(map(packed, keys))
        self.head = self.flushed = mark.head + len(said)
        self.is_waiting = False
        self.is_over = False
        # Until then it may make the log anew unasked: it was just given the run.
        self._sure_until = 0.0 if said else monotonic() + SURE_SECONDS
        self._is_confirmed = False
        # The last that Redis ever had, even if it has lost it since.
        self._acknowledged = self.flushed
        self._events = list(said)
        # Sequence of the first that is kept.
        self._first = mark.head + 1
        self._kept_bytes = size_of(said)
        self._limit_bytes = limit_bytes
        self._lost = lost
        self._run_name = run_name(run.id)
        self._link: Link | None = None
        self._writer = b""
        self._epoch = mark.epoch
        # When it has to RESUME next; at once, to begin with.
        self._resume_at = 0.0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def has_more(self) -> bool:
        """Whether there is something to be sent."""
        return self.flushed < self.head and not self.is_over

    @property
    def has_said_all(self) -> bool:
        """Whether Redis was given all of it, and the last of that is still kept."""
        return self._first <= self.flushed == self.head and not self.is_over

    @property
    def pending_bytes(self) -> int:
        """About how much waits to be sent."""
        return size_of(self._events[self.flushed - self._first + 1 :])

    @property
    def said_bytes(self) -> int:
        """About how much of the log is its own."""
        return sum(map(len, self._events))

    def append(self, events: Sequence[str]) -> int:
        """Keep events to be sent; return the head."""
        if self._kept_bytes > self._limit_bytes:
            self._make_room()
        self._events += events
        self.head += len(events)
        self._kept_bytes += size_of(events)
        return self.head

    def next_piece(self) -> Piece:
        """Return what is to be sent next, as much as one message holds."""
        events = self._events[self.flushed - self._first + 1 :]
        if len(events) > FEW_EVENTS:
            events = _fitting(events)
        return Piece(self.flushed + 1, events)

    def has_to_resume(self, now: float) -> bool:
        """Whether `resume` has to be sent before what is to be appended."""
        return now >= self._resume_at

    def resume(self, piece: Piece, link: Link, publish: str, now: float) -> Command:
        """Return the command that appends a piece, and says where Redis is if it doesn't fit."""
        self._resume_at = now + RESUME_SECONDS
        may_begin = self._is_confirmed or now < self._sure_until
        self._is_confirmed = False
        return (
            "EVALSHA", RESUME_SHA, 2, *self.keys, self.run.fence, *self.mark, link.run_id,
            self._acknowledged, int(may_begin), KEEP_SECONDS, publish, piece.first, piece.last,
            pack(self._epoch, piece.first, piece.last, self._run_name, piece.events),
            self._writer_on(link),
        )  # fmt: skip

    def packed_append(self, link: Link) -> tuple[int, bytes]:
        """Return up to which sequence what is next goes, and by which arguments APPEND appends it.

        They are as they stand in a command.
        """
        if self._link is not link:
            self._link = link
            self._writer = packed(self._writer_on(link).encode())
        first = self.flushed + 1
        events = self._events[first - self._first :]
        if len(events) > FEW_EVENTS:
            events = _fitting(events)
        last = self.flushed + len(events)
        message = pack(self._epoch, first, last, self._run_name, events)
        entry = b"%d-%d" % (last, first)
        return last, b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            self._writer, len(entry), entry, len(message), message,
        )  # fmt: skip

    def events(self, first: int) -> Sequence[str]:
        """Return those from a sequence on that Redis has; it must not be before the first kept."""
        return self._events[first - self._first : self.flushed - self._first + 1]

    def _writer_on(self, link: Link) -> str:
        # As much of the server's id as tells one start of it from another.
        return f"{self.run.fence} {self._epoch} {link.run_id[:8]}"

    def acknowledge(self, sequence: int) -> None:
        """Note that Redis has everything up to a sequence."""
        self.flushed = sequence
        if sequence >= self._acknowledged:
            # What Redis lost, if it did, it has again.
            self._acknowledged = sequence
            self._sure_until = 0.0
        else:
            self._resume_at = 0.0
        if self._waiters:
            self._answer()

    def doubt(self) -> None:
        """Note that Redis is not where it was believed to be: ask it before the next append."""
        self._resume_at = 0.0

    def repeat_last(self) -> None:
        """Send the last event once more, by which Redis says what it has; all has to be said."""
        self.flushed -= 1
        self._resume_at = 0.0

    def allow_begin(self) -> None:
        """Let it make the log anew, where Redis has lost it: the run is known to be its own."""
        self._is_confirmed = True
        self._sure_until = monotonic() + SURE_SECONDS
        self._resume_at = 0.0

    def go_to(self, sequence: int) -> int | None:
        """Go on after the sequence that Redis has; return the first that it has and was not known.

        Raises `LookupError` where what follows is not kept any more.
        """
        if not self._first - 1 <= sequence <= self.head:
            raise LookupError(sequence)
        first = self.flushed + 1
        self.acknowledge(sequence)
        return first if first <= sequence else None

    async def until_flushed(self) -> None:
        """Wait until Redis has all that was appended. Raises `KeyError` where it is over."""
        if self.flushed < self.head:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((self.head, waiter))
            await waiter

    def lose(self) -> None:
        """End it, and tell whoever speaks."""
        if not self.is_over:
            self.end()
            self._lost()

    def end(self) -> None:
        """End it; whoever waits for it hears so."""
        self.is_over = True
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(KeyError(self.run.id))
        self._waiters.clear()

    def _answer(self) -> None:
        for sequence, waiter in self._waiters:
            if sequence <= self.flushed and not waiter.done():
                waiter.set_result(None)
        self._waiters = [waiting for waiting in self._waiters if not waiting[1].done()]

    def _make_room(self) -> None:
        """Drop the older half of what Redis has, or all; give up where it has too little."""
        flushed = self.flushed - self._first + 1
        self._drop((flushed + 1) // 2)
        if self._kept_bytes > self._limit_bytes:
            self._drop(flushed // 2)
        if self._kept_bytes > self._limit_bytes:
            self.lose()

    def _drop(self, count: int) -> None:
        self._kept_bytes -= size_of(self._events[:count])
        del self._events[:count]
        self._first += count


RESUME_SHA = RESUME.sha


def _fitting(events: list[str]) -> list[str]:
    size = 0
    for count, event in enumerate(events):
        size += len(event) + ENTRY_BYTES
        if size > ENTRY_LIMIT_BYTES and count:
            return events[:count]
    return events
