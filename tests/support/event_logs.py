"""Runs, conversations and readers for tests of logs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from app.infra.redis.log.event_log import RedisEventLog
from core.conversations import Conversation, LogMark
from core.ids import ConversationId, MessageId, RunId
from core.ports.event_log import Cursor, EventTail
from core.principal import LOCAL
from core.runs import Run, RunStatus, UserMessage

C = ConversationId("0d9ac1c5-52a7-4b3c-93f5-4a8a5b9f3a01")
START = LogMark("e0", 0, 0)
DEADLINE_SECONDS = 20


def run_of(
    name: str = "r",
    conversation_id: ConversationId = C,
    *,
    fence: int = 1,
    attempt: int = 1,
    log: LogMark = START,
    status: RunStatus = RunStatus.RUNNING,
) -> Run:
    """Return a run as the store gives it to whoever takes it."""
    return Run(
        id=RunId(name),
        conversation_id=conversation_id,
        principal=LOCAL,
        status=status,
        attempt=attempt,
        message=UserMessage(MessageId(f"{name}-question"), "?"),
        message_position=log.messages + 1,
        messages_before=log.messages,
        collection="default",
        created_at=datetime.now(UTC),
        log=log,
        root_id=RunId(name),
        fence=fence,
    )


def conversation_of(
    log: LogMark = START, conversation_id: ConversationId = C, message_count: int | None = None
) -> Conversation:
    """Return a conversation as the store gives it to a reader."""
    now = datetime.now(UTC)
    count = log.messages if message_count is None else message_count
    return Conversation(conversation_id, LOCAL.tenant_id, LOCAL.id, "", count, log, now, now)


class Reader:
    """Reads a conversation as a socket does, and goes on from the log where it has to.

    told: every event once, by its sequence. lookups_failed: how often the log could not give
        what comes next. snapshots: how often it had to begin from one.
    """

    def __init__(self, tail: EventTail, conversation: Conversation) -> None:
        self._tail = tail
        self.conversation = conversation
        self._woken = asyncio.Event()
        self.cursor: Cursor | None = None
        self.told: dict[int, str] = {}
        self.runs: dict[int, str] = {}
        self.lookups_failed = 0
        self.snapshots = 0

    async def open(self, after: Cursor | None = None) -> None:
        """Begin after the cursor, or where the log's base is."""
        bounds = await self._tail.open(self.conversation, after)
        self._watch = self._tail.watch(self.conversation.id, self._woken.set)
        self.cursor = after or Cursor(bounds.epoch, 0)
        if not bounds.can_continue(self.cursor):
            self.snapshots += 1
            self.told.clear()
            self.cursor = Cursor(bounds.epoch, bounds.base)

    def take(self) -> bool:
        """Take what there is; return whether there was something."""
        assert self.cursor is not None
        batch = self._tail.read(self.conversation.id, self.cursor, 65536)
        if batch is None:
            return False
        assert batch.sequence == self.cursor.sequence + 1
        for sequence, event in enumerate(batch.events, batch.sequence):
            self.told[sequence] = event
            self.runs[sequence] = str(batch.run_id)
        self.cursor = Cursor(batch.epoch, batch.sequence + len(batch.events) - 1)
        return True

    async def until(self, is_enough: Callable[["Reader"], bool]) -> None:
        """Read on until the condition holds."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not is_enough(self):
                self._woken.clear()
                try:
                    if not self.take() and not is_enough(self):
                        await self._woken.wait()
                except LookupError:
                    self.lookups_failed += 1
                    self._watch.close()
                    await self.open(self.cursor)

    async def until_sequence(self, sequence: int) -> None:
        """Read on until an event was seen."""
        await self.until(
            lambda reader: reader.cursor is not None and reader.cursor.sequence >= sequence
        )

    @property
    def texts(self) -> list[str]:
        """What was told, in order."""
        return [self.told[sequence] for sequence in sorted(self.told)]

    def close(self) -> None:
        """Stop reading."""
        self._watch.close()


async def held(run: Run) -> bool:
    """Say of every run that it is still its node's."""
    return True


@asynccontextmanager
async def redis_log(
    url: str,
    *,
    is_cluster: bool = False,
    conversation_bytes: int = 1_000_000,
    total_bytes: int = 100_000_000,
    is_held: Callable[[Run], Awaitable[bool]] = held,
) -> AsyncIterator[RedisEventLog]:
    """A node's log, at work as long as the context lasts."""
    log = RedisEventLog(
        url,
        node="node",
        conversation_bytes=conversation_bytes,
        total_bytes=total_bytes,
        is_cluster=is_cluster,
        is_held=is_held,
    )
    working = asyncio.ensure_future(log.run())
    await asyncio.sleep(0)
    try:
        yield log
    finally:
        working.cancel()
        await asyncio.wait([working])


def next_run(run: Run, mark: LogMark, name: str) -> Run:
    """Return the run that follows another in its conversation."""
    return replace(
        run,
        id=RunId(name),
        fence=run.fence + 1,
        attempt=1,
        log=mark,
        messages_before=mark.messages,
    )


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds that nothing tells of."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        # There is nothing to be woken by.
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
