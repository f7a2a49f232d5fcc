"""The hot log of every conversation, inside this process."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.conversation_log import ConversationLog, LogWatch, size_of
from core.conversations import Conversation
from core.ids import ConversationId
from core.ports.event_log import Cursor, EventBatch, LogBounds, TakenLog
from core.runs import Run


@dataclass(frozen=True, slots=True)
class _Speaker:
    fence: int
    log: ConversationLog
    lost: Callable[[], None]


class MemoryEventLog:
    """See `EventLog` and `EventTail`. Lost with the process; the next one begins a new epoch.

    conversation_bytes: above this, a conversation's log forgets runs that are on disk, all but
        the last.
    total_bytes: above this, logs that nobody reads and whose runs are on disk are forgotten, the
        longest unused first.
    """

    def __init__(self, conversation_bytes: int, total_bytes: int) -> None:
        self._conversation_bytes = conversation_bytes
        self._total_bytes = total_bytes
        self._logs: OrderedDict[ConversationId, ConversationLog] = OrderedDict()
        self._speakers: dict[ConversationId, _Speaker] = {}
        # Of all logs, kept up to date: there may be many, and every turn asks.
        self._size_bytes = 0

    async def open(self, conversation: Conversation, after: Cursor | None) -> LogBounds:
        """See `EventTail`; nothing is rebuilt here, so nothing is waited for."""
        return self._open(conversation.id, conversation.message_count).bounds()

    async def take(self, run: Run, lost: Callable[[], None]) -> TakenLog:
        """See `EventLog`."""
        before = self._speakers.get(run.conversation_id)
        if before is not None and before.fence > run.fence:
            lost()
            return TakenLog()
        log = self._open(run.conversation_id, run.messages_before)
        self._speakers[run.conversation_id] = _Speaker(run.fence, log, lost)
        if before is not None and before.fence < run.fence:
            before.lost()
        return TakenLog()

    def append(self, run: Run, events: Sequence[str]) -> int:
        """See `EventLog`."""
        speaker = self._speakers[run.conversation_id]
        if speaker.fence != run.fence:
            raise KeyError(run.id)
        self._size_bytes += size_of(events)
        return speaker.log.append(run.id, events)

    async def flushed(self, run: Run, seconds: float) -> bool:
        """See `EventLog`; what is appended can be seen at once."""
        if self._speakers[run.conversation_id].fence != run.fence:
            raise KeyError(run.id)
        return True

    def leave(self, run: Run, message_count: int | None = None) -> None:
        """See `EventLog`."""
        speaker = self._speakers.get(run.conversation_id)
        if speaker is not None and speaker.fence == run.fence:
            del self._speakers[run.conversation_id]
            if message_count is not None:
                self._settle(speaker.log, message_count)

    def read(
        self, conversation_id: ConversationId, after: Cursor, limit_bytes: int
    ) -> EventBatch | None:
        """See `EventTail`."""
        return self._logs[conversation_id].read(after, limit_bytes)

    def watch(self, conversation_id: ConversationId, wake: Callable[[], None]) -> LogWatch:
        """See `EventTail`."""
        return self._logs[conversation_id].watch(wake)

    def forget(self, conversation_id: ConversationId) -> None:
        """See `EventLog`."""
        self._speakers.pop(conversation_id, None)
        log = self._logs.pop(conversation_id, None)
        if log is not None:
            self._size_bytes -= log.size_bytes
            log.wake()

    def _open(self, conversation_id: ConversationId, message_count: int) -> ConversationLog:
        log = self._logs.get(conversation_id)
        if log is None:
            self._make_room()
            log = ConversationLog(secrets.token_hex(6), 1 if message_count else 0, message_count)
            self._logs[conversation_id] = log
        self._logs.move_to_end(conversation_id)
        return log

    def _settle(self, log: ConversationLog, message_count: int) -> None:
        before = log.size_bytes
        log.settle(message_count, self._conversation_bytes)
        self._size_bytes += log.size_bytes - before

    def _make_room(self) -> None:
        if self._size_bytes <= self._total_bytes:
            return
        for conversation_id, log in list(self._logs.items()):
            if self._size_bytes <= self._total_bytes:
                return
            if log.is_idle and conversation_id not in self._speakers:
                self._size_bytes -= log.size_bytes
                del self._logs[conversation_id]
