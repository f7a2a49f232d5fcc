"""Tells a finished run again from what is stored, when its events are gone."""

from app.turns.snapshot import snapshot
from app.turns.transcriber import last_event, run_started
from core import events
from core.ids import RunId
from core.ports.conversation_store import ConversationStore
from core.ports.run_store import Ending, RunRecords
from core.principal import Principal
from core.runs import Run


class Replay:
    """Answers those who ask for a run that has ended."""

    def __init__(self, records: RunRecords, conversations: ConversationStore) -> None:
        self._records = records
        self._conversations = conversations

    async def events(self, principal: Principal, run_id: RunId) -> tuple[str, ...] | None:
        """Return the run as start, snapshot, end; None while it is not finished.

        Raises `NotFound`.
        """
        run = await self._records.get(principal, run_id)
        if not run.status.is_final:
            return None
        messages = await self._conversations.messages(principal, run.conversation_id)
        told = (run_started(run), snapshot(messages), last_event(run, _ending(run)))
        return tuple(events.encode(event) for event in told)


def _ending(run: Run) -> Ending:
    return Ending(run.status, None, run.error_code, run.error_message)
