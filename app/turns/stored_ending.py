"""Says how a run ended, from what is stored of it."""

from core.ports.asks import AskRecords
from core.ports.run_store import Ending
from core.runs import Run, RunStatus


async def stored_ending(run: Run, records: AskRecords) -> Ending:
    """Return the ending of a run whose last event has to be told, or told again."""
    asks = await records.left_by(run.id) if run.status is RunStatus.INTERRUPTED else ()
    return Ending(run.status, None, run.error_code, run.error_message, asks=tuple(asks))
