"""The conversations that this node reads, or has read a moment ago."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable
from itertools import count, islice
from time import monotonic

import structlog

from app.infra.redis.log.attendance import Attendance
from app.infra.redis.log.message import keys_of
from app.infra.redis.log.mirror import Mirror
from app.infra.redis.log.reader import LogReader
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Servers
from app.infra.redis.log.stats import LogStats
from app.infra.redis.log.subscriber import Audience, Subscriber
from core.conversation_log import ConversationLog
from core.conversations import Conversation, LogMark
from core.errors import StorageUnavailable
from core.ids import ConversationId
from core.ports.event_log import Cursor, LogBounds

# One comparison takes 10 µs of Redis's time and 4 of the node's (measured on 2 cores with 200 and
# 2,000 at once, small entries; with 100 KiB in the last one 180 and 6).
CHECK_SECONDS = 1.0
CHECKED_AT_ONCE = 500
# Whether connections live is asked less often: Redis may stand still for a second, while it writes
# its file anew.
ROUNDS_A_PROBE = 2
FILLED_AT_ONCE = 16
OPEN_SECONDS = 3.0
REBUILD_SECONDS = 2.0
# How long a copy that nobody reads is kept for those who come back.
IDLE_SECONDS = 30.0

log = structlog.get_logger(__name__)

Spawn = Callable[[Coroutine[object, object, None]], None]


class Mirrors:
    """Copies of logs, each kept up as long as somebody reads it.

    total_bytes: above this, those that nobody reads are dropped at once, the longest unused first.
    spawn: starts a task that ends with the log's own.
    """

    def __init__(
        self,
        servers: Servers,
        reader: LogReader,
        stats: LogStats,
        total_bytes: int,
        spawn: Spawn,
    ) -> None:
        self._servers = servers
        self._reader = reader
        self._stats = stats
        self._total_bytes = total_bytes
        self._spawn = spawn
        self._mirrors: OrderedDict[ConversationId, Mirror] = OrderedDict()
        self._subscribers: dict[Server, Subscriber] = {}
        # Where each mirror is listened to.
        self._seats: dict[ConversationId, Subscriber] = {}
        self._attendance = Attendance(reader, self._check, self._mirrors, spawn)
        self._audience = Audience(
            self._returned, self._moved, self._attendance.join, self._attendance.part
        )

    async def open(self, conversation: Conversation, after: Cursor | None) -> LogBounds:
        """See `EventTail`."""
        mirror = self._mirror(conversation.id)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                copy = await self._current(mirror, conversation.log)
        except OSError as error:
            raise StorageUnavailable("The conversation's log can't be reached.") from error
        if after is not None and after.epoch == copy.epoch and after.sequence > copy.head:
            await _rebuilt(copy, after)
        mirror.used_at = monotonic()
        return copy.bounds()

    def log(self, conversation_id: ConversationId) -> ConversationLog:
        """Return the copy. Raises `KeyError` where it is not open."""
        copy = self._mirrors[conversation_id].log
        if copy is None:
            raise KeyError(conversation_id)
        return copy

    def get(self, conversation_id: ConversationId) -> Mirror | None:
        """Return the mirror, if there is one."""
        return self._mirrors.get(conversation_id)

    def forget(self, mirror: Mirror) -> None:
        """Drop a conversation that was deleted; its readers are woken to find out."""
        self._drop(mirror)
        if mirror.log is not None:
            mirror.log.wake()

    async def run(self) -> None:
        """Look for what was missed, and drop what nobody reads, until cancelled."""
        for round_ in count():
            await asyncio.sleep(CHECK_SECONDS)
            if round_ % ROUNDS_A_PROBE == 0:
                for subscriber in self._subscribers.values():
                    subscriber.probe()
                self._tidy()
            await self._check([mirror for mirror in self._mirrors.values() if mirror.pass_round()])

    async def _current(self, mirror: Mirror, mark: LogMark) -> ConversationLog:
        await mirror.joined.wait()
        # A reading that was under way already may be older than the mark; the next is not.
        for _ in range(2):
            if mirror.is_current(mark):
                break
            error = await asyncio.shield(self._sync(mirror, mark))
            if error is not None:
                raise error
        if mirror.log is None:
            raise ConnectionError
        return mirror.log

    def _sync(self, mirror: Mirror, mark: LogMark | None) -> "asyncio.Future[OSError | None]":
        """Fill a mirror from the stream; those who come meanwhile share the work."""
        if mirror.syncing is None:
            mirror.syncing = asyncio.get_running_loop().create_future()
            self._spawn(self._fill(mirror, mark, mirror.syncing))
        return mirror.syncing

    async def _fill(
        self, mirror: Mirror, mark: LogMark | None, done: "asyncio.Future[OSError | None]"
    ) -> None:
        self._stats.resyncs += mirror.log is not None
        mirror.wanted = 0
        error: OSError | None = ConnectionError()
        try:
            await self._reader.fill(mirror, mark)
            error = None
        except OSError as lost:
            error = lost
        except Exception:
            # A task's border: one conversation's bug is not another's.
            log.exception("log.crashed", conversation_id=mirror.conversation_id)
        finally:
            mirror.syncing = None
            done.set_result(error)
        if error is None and mirror.is_behind:
            self._sync(mirror, None)

    def _stale(self, mirror: Mirror) -> None:
        self._sync(mirror, None)

    def _mirror(self, conversation_id: ConversationId) -> Mirror:
        mirror = self._mirrors.get(conversation_id)
        if mirror is None:
            mirror = Mirror(conversation_id, keys_of(conversation_id), self._stale, self.forget)
            self._mirrors[conversation_id] = mirror
            self._seat(mirror)
        self._mirrors.move_to_end(conversation_id)
        mirror.used_at = monotonic()
        return mirror

    def _seat(self, mirror: Mirror) -> None:
        server = self._servers.of(mirror.keys.channel)
        subscriber = self._subscribers.get(server)
        if subscriber is None:
            subscriber = Subscriber(server, self._servers, self._stats, self._audience)
            self._subscribers[server] = subscriber
            self._spawn(subscriber.run())
        self._seats[mirror.conversation_id] = subscriber
        subscriber.add(mirror)

    def _moved(self) -> None:
        """Listen elsewhere to what another server keeps now."""
        for mirror in self._mirrors.values():
            subscriber = self._seats[mirror.conversation_id]
            if subscriber.server != self._servers.of(mirror.keys.channel):
                subscriber.drop(mirror)
                self._seat(mirror)

    def _returned(self, mirrors: list[Mirror]) -> None:
        for mirror in mirrors:
            mirror.forget_silence()
            if mirror.log is not None:
                self._attendance.join(mirror)

    async def _check(self, mirrors: Iterable[Mirror]) -> Collection[Mirror]:
        """Compare copies with what Redis says, and fill those that lack something.

        By that the node joins their readers. Returns those of which Redis said nothing.
        """
        left = set(mirrors)
        by_server: defaultdict[Server, list[Mirror]] = defaultdict(list)
        for mirror in left:
            by_server[self._servers.of(mirror.keys.meta)].append(mirror)
        for server, kept in by_server.items():
            rest = iter(kept)
            while some := list(islice(rest, CHECKED_AT_ONCE)):
                try:
                    metas = await self._reader.metas(server, some)
                except OSError:
                    # The next check asks again.
                    break
                left.difference_update(some)
                pairs = zip(some, metas, strict=True)
                await self._refill(
                    [each for each, meta in pairs if meta is not None and each.differs(meta)]
                )
        return left

    async def _refill(self, mirrors: list[Mirror]) -> None:
        for start in range(0, len(mirrors), FILLED_AT_ONCE):
            some = [self._sync(mirror, None) for mirror in mirrors[start : start + FILLED_AT_ONCE]]
            for filled in some:
                await asyncio.shield(filled)

    def _tidy(self) -> None:
        now = monotonic()
        size_bytes = sum(mirror.size_bytes for mirror in self._mirrors.values())
        for mirror in tuple(self._mirrors.values()):
            idle_seconds = IDLE_SECONDS if size_bytes <= self._total_bytes else OPEN_SECONDS
            if now - mirror.used_at > idle_seconds and not mirror.is_used:
                size_bytes -= mirror.size_bytes
                self._drop(mirror)

    def _drop(self, mirror: Mirror) -> None:
        if self._mirrors.pop(mirror.conversation_id, None) is not None:
            self._seats.pop(mirror.conversation_id).drop(mirror)


async def _rebuilt(copy: ConversationLog, after: Cursor) -> None:
    """Wait, a little, until a log that is ahead in a reader's memory is as far again."""
    grown = asyncio.Event()
    watch = copy.watch(grown.set)
    try:
        async with asyncio.timeout(REBUILD_SECONDS):
            while copy.epoch == after.epoch and copy.head < after.sequence:
                await grown.wait()
                grown.clear()
    except TimeoutError:
        log.info("log.not_rebuilt", sequence=after.sequence, head=copy.head)
    finally:
        watch.close()
