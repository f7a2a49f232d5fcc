"""Tells a finished run again from what is stored, when its events are gone."""

from app.turns.snapshot import snapshot
from app.turns.stored_ending import stored_ending
from app.turns.transcriber import last_event, run_started
from core import events
from core.ids import RunId
from core.ports.asks import AskRecords
from core.ports.conversation_store import ConversationStore
from core.ports.run_store import RunRecords
from core.principal import Principal


class Replay:
    """Answers those who ask for a run that has ended."""

    def __init__(
        self, records: RunRecords, conversations: ConversationStore, asks: AskRecords
    ) -> None:
        self._records = records
        self._asks = asks
        self._conversations = conversations

    async def events(self, principal: Principal, run_id: RunId) -> tuple[str, ...] | None:
        """Return the run as start, snapshot, end; None while it is not finished.

        Raises `NotFound`.
        """
        run = await self._records.get(principal, run_id)
        if not run.status.is_final:
            return None
        messages = await self._conversations.messages(principal, run.conversation_id)
        ending = await stored_ending(run, self._asks)
        told = (run_started(run), snapshot(messages), last_event(run, ending))
        return tuple(events.encode(event) for event in told)
