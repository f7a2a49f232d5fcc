"""A node's copy of one conversation's log, from which its sockets read."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import structlog

from app.infra.redis.log.link import Reply
from app.infra.redis.log.message import GONE, NOTICE, TRIMMED, Keys, read_trimmed
from core.conversation_log import ConversationLog
from core.conversations import LogMark
from core.ids import ConversationId, RunId

# Between two comparisons of a log of which nothing is heard. Nothing is lost on a connection that
# holds, but between the servers of a cluster: the next message would show it.
MOST_ROUNDS = 8

log = structlog.get_logger(__name__)


class Meta(NamedTuple):
    """What Redis says of a log: as `LogBounds`."""

    epoch: str
    head: int
    base: int
    base_messages: int


class Mirror:
    """A copy that is behind by what is on its way.

    log: None until it was read for the first time.
    stale: called when something was missed, and has to be read from the stream.
    gone: called when the conversation was deleted.
    joined: set while its channel is listened to.
    syncing: done when the reading that is under way has ended; gives what went wrong.
    """

    __slots__ = (
        "_gone", "_looks", "_rounds", "_run", "_run_id", "_stale", "_was_heard", "conversation_id",
        "joined", "keys", "log", "syncing", "used_at", "wanted",
    )  # fmt: skip

    def __init__(
        self,
        conversation_id: ConversationId,
        keys: Keys,
        stale: Callable[["Mirror"], None],
        gone: Callable[["Mirror"], None],
    ) -> None:
        self.conversation_id = conversation_id
        self.keys = keys
        self.log: ConversationLog | None = None
        self.joined = asyncio.Event()
        self.syncing: asyncio.Future[OSError | None] | None = None
        self.used_at = 0.0
        self.wanted = 0
        # Since the last round; and since it was heard: rounds that passed, and looks.
        self._was_heard = False
        self._rounds = self._looks = 0
        # Whose the last message was: the next is most often of the same run.
        self._run = ""
        self._run_id = RunId("")
        self._stale = stale
        self._gone = gone

    def hear(self, message: bytes) -> bool:
        """Add what another node has said, see `message`; return whether it was new here."""
        self._was_heard = True
        copy = self.log
        if copy is None:
            # It is being read, and the message is in the stream already.
            return False
        try:
            if message.startswith(NOTICE):
                self._notice(message)
                return False
            head, _, text = message.decode("utf-8", "surrogatepass").partition("\n")
            epoch, last_text, first, run = head.split(" ")
            last = int(last_text)
            ahead = last - copy.head
            if ahead <= 0 and epoch == copy.epoch:
                # What this node says itself, it has already.
                return False
            if run != self._run:
                self._run, self._run_id = run, RunId(unquote(run))
            if ahead == 1 and first == last_text and epoch == copy.epoch:
                # The path of every token.
                copy.append(self._run_id, (text,))
            else:
                self.add(epoch, int(first), last, self._run_id, text.split("\n"))
        except ValueError:
            log.warning("log.strange_message", conversation_id=self.conversation_id)
            return False
        return True

    def add(self, epoch: str, first: int, last: int, run_id: RunId, events: Sequence[str]) -> None:
        """Add events where they are the next; where others are missing, have those read first."""
        mirror = self.log
        if mirror is None:
            return
        missing = first - mirror.head - 1
        if epoch != mirror.epoch or missing > 0:
            self.wanted = last
            self._stale(self)
        elif last > mirror.head:
            mirror.append(run_id, events[-missing:] if missing else events)

    def is_current(self, mark: LogMark) -> bool:
        """Whether it has all that is on disk, and follows what is said now."""
        return (
            self.log is not None
            and self.joined.is_set()
            and self.log.epoch == mark.epoch
            and self.log.head >= mark.head
        )

    @property
    def is_behind(self) -> bool:
        """Whether it is known that something is missing."""
        return self.log is not None and self.log.head < self.wanted

    def pass_round(self) -> bool:
        """Note that a round is over; return whether to compare it with Redis now.

        Only where somebody reads it: at once if something is known to be missing, else after the
        first round in which nothing was heard, then after 2 and 4 more, then every 8.
        """
        if self._was_heard:
            self.forget_silence()
        else:
            self._rounds += 1
        is_read = self.log is not None and self.log.is_watched and self.joined.is_set()
        is_late = self._rounds >= min(1 << self._looks, MOST_ROUNDS)
        if not is_read or not (self.is_behind or is_late):
            return False
        self._rounds = 0
        self._looks += is_late
        return True

    def forget_silence(self) -> None:
        """Be compared soon, as after a message."""
        self._was_heard = False
        self._rounds = self._looks = 0

    @property
    def is_used(self) -> bool:
        """Whether somebody reads it, or is about to."""
        return self.syncing is not None or (self.log is not None and self.log.is_watched)

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return self.log.size_bytes if self.log is not None else 0

    def differs(self, meta: Meta) -> bool:
        """Return whether Redis has something that is not here."""
        if self.log is None or meta.epoch != self.log.epoch:
            return True
        return meta.head > self.log.head

    def begin(self, meta: Meta) -> None:
        """Be ready to be filled from where the log stands here, or from its base.

        What Redis has forgotten, or lost, stays: the same epoch gives the same numbers.
        """
        if self.log is None:
            self.log = ConversationLog(meta.epoch, meta.base, meta.base_messages)
        elif meta.epoch != self.log.epoch or meta.base > self.log.head:
            self.log.restart(meta.epoch, meta.base, meta.base_messages)

    def _notice(self, notice: bytes) -> None:
        if notice == GONE:
            self._gone(self)
        elif notice.startswith(TRIMMED) and self.log is not None:
            epoch, base, base_messages = read_trimmed(notice)
            if epoch == self.log.epoch:
                self.log.trim(base, base_messages)


def read_meta(reply: Reply) -> Meta | None:
    """Return what OPEN or LOOK gave; None where there is no log."""
    epoch, head, base, base_messages = reply
    if epoch is None or base is None:
        return None
    return Meta(epoch.decode(), int(head), int(base), int(base_messages))
