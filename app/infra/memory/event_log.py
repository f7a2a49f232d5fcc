"""The hot log of every conversation, inside this process."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

from app.infra.memory.conversation_log import ConversationLog, LogWatch, size_of
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor, EventBatch, LogBounds


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
        # Of all logs, kept up to date: there may be many, and every turn asks.
        self._size_bytes = 0

    async def open(self, conversation_id: ConversationId, message_count: int) -> LogBounds:
        """See `EventLog`."""
        log = self._logs.get(conversation_id)
        if log is None:
            self._make_room()
            log = ConversationLog(secrets.token_hex(6), message_count)
            self._logs[conversation_id] = log
        self._logs.move_to_end(conversation_id)
        return log.bounds()

    def append(self, conversation_id: ConversationId, run_id: RunId, events: Sequence[str]) -> int:
        """See `EventLog`."""
        head = self._logs[conversation_id].append(run_id, events)
        self._size_bytes += size_of(events)
        return head

    def settle(self, conversation_id: ConversationId, message_count: int) -> None:
        """See `EventLog`."""
        log = self._logs.get(conversation_id)
        if log is not None:
            before = log.size_bytes
            log.settle(message_count, self._conversation_bytes)
            self._size_bytes += log.size_bytes - before

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
        log = self._logs.pop(conversation_id, None)
        if log is not None:
            self._size_bytes -= log.size_bytes
            log.wake()

    def _make_room(self) -> None:
        if self._size_bytes <= self._total_bytes:
            return
        for conversation_id, log in list(self._logs.items()):
            if self._size_bytes <= self._total_bytes:
                return
            if log.is_idle:
                self._size_bytes -= log.size_bytes
                del self._logs[conversation_id]
