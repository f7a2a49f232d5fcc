"""What the front doors may ask of conversations: list, read, rename, delete."""

from collections.abc import Sequence

from app.graph.turn_graph import TurnGraph
from app.turns.interrupts import interrupt_of
from app.turns.runner import Runner
from core.conversations import Conversation, Message
from core.events import Interrupt
from core.ids import ConversationId
from core.ports.asks import Asks
from core.ports.conversation_store import ConversationMark, ConversationStore
from core.ports.event_log import EventLog
from core.ports.run_store import RunRecords
from core.principal import Principal


class Conversations:
    """Conversations as their owner sees them."""

    def __init__(
        self,
        store: ConversationStore,
        records: RunRecords,
        runner: Runner,
        events: EventLog,
        graph: TurnGraph,
        asks: Asks,
    ) -> None:
        self._store = store
        self._records = records
        self._runner = runner
        self._events = events
        self._graph = graph
        self._asks = asks

    async def list(
        self, principal: Principal, limit: int, before: ConversationMark | None
    ) -> Sequence[Conversation]:
        """Return at most `limit` conversations, the last changed first."""
        return await self._store.list(principal, limit, before)

    async def get(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """Return the conversation. Raises `NotFound`."""
        return await self._store.get(principal, conversation_id)

    async def rename(
        self, principal: Principal, conversation_id: ConversationId, title: str
    ) -> Conversation:
        """Change the title. Raises `NotFound`."""
        return await self._store.rename(principal, conversation_id, title)

    async def messages(
        self, principal: Principal, conversation_id: ConversationId, after: int, limit: int
    ) -> Sequence[Message]:
        """Return the transcript after a position, in order. Raises `NotFound`."""
        await self._store.get(principal, conversation_id)
        return await self._store.messages(principal, conversation_id, after=after, limit=limit)

    async def interrupts(
        self, principal: Principal, conversation_id: ConversationId
    ) -> Sequence[Interrupt]:
        """Return what waits for the person's answer, oldest first. Raises `NotFound`."""
        pending = await self._asks.pending(principal, conversation_id)
        return [interrupt_of(ask) for ask in pending]

    async def delete(self, principal: Principal, conversation_id: ConversationId) -> None:
        """Delete it with all that was kept of it; what is being said is stopped.

        Raises `NotFound`.
        """
        runs = await self._records.of_conversation(principal, conversation_id)
        await self._store.delete(principal, conversation_id)
        self._events.forget(conversation_id)
        for run in runs:
            if not run.status.is_final:
                self._runner.stop(run.id)
        await self._graph.forget([run.id for run in runs])
