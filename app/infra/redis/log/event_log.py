"""The hot log of every conversation, shared by all nodes through Redis."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence

from app.infra.redis.log.flusher import Flusher, IsHeld
from app.infra.redis.log.losses import Losses
from app.infra.redis.log.message import GONE, keys_of, trimmed
from app.infra.redis.log.mirrors import Mirrors
from app.infra.redis.log.reader import LogReader
from app.infra.redis.log.scripts import FORGET, LEAVE
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Servers
from app.infra.redis.log.speaker import Speaker
from app.infra.redis.log.stats import LogStats
from core.conversation_log import LogWatch
from core.conversations import Conversation, LogMark
from core.errors import StorageUnavailable
from core.ids import ConversationId
from core.ports.event_log import Cursor, EventBatch, LogBounds, TakenLog
from core.runs import Run

TAKE_SECONDS = 3.0


async def trusted(run: Run) -> bool:
    """Say of every run that it is still this node's."""
    return True


class RedisEventLog:
    """See `EventLog` and `EventTail`. `run` has to be at work meanwhile.

    node: what Redis calls this process in its list of clients.
    conversation_bytes: above this, a conversation's log forgets runs that are on disk, all but
        the last; and a run that could not send so much is given up.
    total_bytes: above this, copies that nobody reads are dropped at once.
    is_held: whether a run is still this node's, by the database; asked before a log that Redis
        has lost is sent again, so that a node that was replaced can't do it. Raises `AppError`
        where it can't be said.
    """

    def __init__(
        self,
        url: str,
        *,
        node: str,
        conversation_bytes: int,
        total_bytes: int,
        is_cluster: bool = False,
        is_held: IsHeld = trusted,
    ) -> None:
        self._conversation_bytes = conversation_bytes
        self._is_held = is_held
        self._servers = Servers(url, is_cluster=is_cluster, name=node)
        self._speakers: dict[ConversationId, Speaker] = {}
        self._flushers: dict[Server, Flusher] = {}
        self._group: asyncio.TaskGroup | None = None
        self._reader = LogReader(self._servers)
        self.stats = LogStats(self._pending_bytes)
        self._mirrors = Mirrors(self._servers, self._reader, self.stats, total_bytes, self._spawn)
        self._losses = Losses(self._servers, self._reader, self._speakers, self._route)

    @property
    def unanswered_since(self) -> float | None:
        """When the oldest of what waits for Redis was sent; from any thread. See `Flusher`."""
        known = self._servers.known
        # What waits for a server that a cluster has replaced goes to another, or nowhere.
        flushers = [flusher for server, flusher in tuple(self._flushers.items()) if server in known]
        waits = [flusher.unanswered_since for flusher in flushers]
        return min((since for since in waits if since is not None), default=None)

    async def run(self) -> None:
        """Carry what is said to Redis and from there, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._servers.refresh()
                for flusher in self._flushers.values():
                    group.create_task(flusher.run())
                group.create_task(self._mirrors.run())
                group.create_task(self._losses.run())
        finally:
            self._group = None
            self._reader.close()

    async def take(self, run: Run, lost: Callable[[], None]) -> TakenLog:
        """See `EventLog`. The first attempt at a run asks nobody: its mark says all."""
        before = self._speakers.get(run.conversation_id)
        if before is not None and before.run.fence > run.fence:
            lost()
            return TakenLog()
        taken = TakenLog() if _is_first(run) else await self._take_over(run)
        if taken is None:
            self.stats.fenced += 1
            lost()
            return TakenLog()
        mark = taken.restarted_at or run.log
        speaker = Speaker(
            run, mark, taken.said, keys_of(run.conversation_id), self._conversation_bytes, lost
        )
        self._replace(speaker)
        return taken

    def append(self, run: Run, events: Sequence[str]) -> int:
        """See `EventLog`."""
        speaker = self._speaker(run)
        head = speaker.append(events)
        if not speaker.is_waiting:
            self._route(speaker)
        return head

    async def flushed(self, run: Run, seconds: float) -> bool:
        """See `EventLog`."""
        try:
            async with asyncio.timeout(seconds):
                await self._speaker(run).until_flushed()
        except TimeoutError:
            return False
        return True

    def leave(self, run: Run, message_count: int | None = None) -> LogMark | None:
        """See `EventLog`."""
        speaker = self._speakers.get(run.conversation_id)
        if speaker is None or speaker.run.fence != run.fence:
            return None
        del self._speakers[run.conversation_id]
        if speaker.is_over:
            return None
        speaker.end()
        if message_count is None:
            return None
        self._count(speaker)
        return LogMark(speaker.mark.epoch, speaker.head, message_count)

    def forget(self, conversation_id: ConversationId) -> None:
        """See `EventLog`."""
        speaker = self._speakers.pop(conversation_id, None)
        if speaker is not None:
            speaker.end()
        mirror = self._mirrors.get(conversation_id)
        if mirror is not None:
            self._mirrors.forget(mirror)
        keys = keys_of(conversation_id)
        self._flusher(keys.meta).do(
            lambda publish: ("EVALSHA", FORGET.sha, 2, *keys, publish, GONE)
        )

    async def open(self, conversation: Conversation, after: Cursor | None) -> LogBounds:
        """See `EventTail`."""
        if self._group is None:
            raise StorageUnavailable("The log is not running.")
        return await self._mirrors.open(conversation, after)

    def read(
        self, conversation_id: ConversationId, after: Cursor, limit_bytes: int
    ) -> EventBatch | None:
        """See `EventTail`."""
        return self._mirrors.log(conversation_id).read(after, limit_bytes)

    def watch(self, conversation_id: ConversationId, wake: Callable[[], None]) -> LogWatch:
        """See `EventTail`."""
        return self._mirrors.log(conversation_id).watch(wake)

    async def _take_over(self, run: Run) -> TakenLog | None:
        """Return what earlier attempts have said; None where a later one has taken the log."""
        new = LogMark(secrets.token_hex(6), 1, run.messages_before)
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                head = await self._reader.take(run, new, force=False)
                if head is not None:
                    said = await self._reader.said(run, head)
                    if said is not None:
                        return TakenLog(said)
                    await self._reader.take(run, new, force=True)
        except KeyError:
            return None
        except OSError as error:
            raise StorageUnavailable("The conversation's log can't be reached.") from error
        return TakenLog(restarted_at=new)

    def _replace(self, speaker: Speaker) -> None:
        run = speaker.run
        before = self._speakers.get(run.conversation_id)
        if before is not None and before.run.fence > run.fence:
            # It was taken while Redis was asked.
            speaker.lose()
            return
        self._speakers[run.conversation_id] = speaker
        if before is not None and before.run.fence < run.fence:
            before.lose()

    def _speaker(self, run: Run) -> Speaker:
        speaker = self._speakers[run.conversation_id]
        if speaker.is_over or speaker.run.fence != run.fence:
            raise KeyError(run.id)
        return speaker

    def _route(self, speaker: Speaker) -> None:
        self._flusher(speaker.keys.meta).add(speaker)

    def _flusher(self, key: bytes) -> Flusher:
        server = self._servers.of(key)
        flusher = self._flushers.get(server)
        if flusher is None:
            flusher = self._flushers[server] = Flusher(
                server, self._servers, self.stats, self._delivered, self._route, self._is_held
            )
            if self._group is not None:
                self._group.create_task(flusher.run())
        return flusher

    def _delivered(self, speaker: Speaker, first: int) -> None:
        """Give this node's readers what Redis has, without waiting for its echo."""
        mirror = self._mirrors.get(speaker.run.conversation_id)
        if mirror is not None:
            run_id, epoch = speaker.run.id, speaker.mark.epoch
            mirror.add(epoch, first, speaker.flushed, run_id, speaker.events(first))

    def _count(self, speaker: Speaker) -> None:
        """Have Redis forget what was said before this run, where the log is over its limit."""
        arguments = (*speaker.mark, speaker.said_bytes, self._conversation_bytes)
        notice = trimmed(*speaker.mark)
        self._flusher(speaker.keys.meta).do(
            lambda publish: ("EVALSHA", LEAVE.sha, 2, *speaker.keys, *arguments, publish, notice)
        )

    def _pending_bytes(self) -> int:
        return sum(speaker.pending_bytes for speaker in self._speakers.values())

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._group is None:
            work.close()
            raise StorageUnavailable("The log is not running.")
        self._group.create_task(work)


def _is_first(run: Run) -> bool:
    """Whether nobody can have spoken in this run before."""
    return run.attempt <= 1 and not run.status.is_final
