"""The statements that `SqlRunStore` is made of."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, exists, select, update
from sqlalchemy.orm import aliased

from app.infra.sql import turn_statements
from app.infra.sql.conversation_tables import ConversationRow, RunRow
from app.infra.sql.run_rows import run_of
from core.errors import NotFound
from core.ids import ConversationId, RunId
from core.ports.run_store import Ending
from core.principal import Principal
from core.runs import Run, RunStatus


def owned(principal: Principal, run_id: RunId) -> ColumnElement[bool]:
    """Say that a row is this run, and the caller's."""
    return and_(
        RunRow.id == run_id,
        RunRow.tenant_id == principal.tenant_id,
        RunRow.principal == principal.id,
    )


def read_run(connection: Connection, run_id: RunId) -> Run:
    """Return a run that is known to be there."""
    rows = connection.execute(select(RunRow.__table__).where(RunRow.id == run_id))
    return run_of(rows.one()._asdict())


def read_own_run(connection: Connection, principal: Principal, run_id: RunId) -> Run:
    """Return the caller's run. Raises `NotFound`."""
    rows = connection.execute(select(RunRow.__table__).where(owned(principal, run_id)))
    row = rows.one_or_none()
    if row is None:
        raise NotFound("There is no such run.")
    return run_of(row._asdict())


def runs_of(principal: Principal, conversation_id: ConversationId) -> Select[object]:
    """Select a conversation's runs, the caller's only, in the order of admission."""
    return (
        select(RunRow.__table__)
        .where(
            RunRow.conversation_id == conversation_id,
            RunRow.tenant_id == principal.tenant_id,
            RunRow.principal == principal.id,
        )
        .order_by(RunRow.ordinal)
    )


def next_free_run() -> Select[str]:
    """Select the oldest queued run whose conversation has no run at work."""
    other = aliased(RunRow)
    at_work = exists().where(
        other.conversation_id == RunRow.conversation_id, other.status == RunStatus.RUNNING
    )
    return (
        select(RunRow.id)
        .where(RunRow.status == RunStatus.QUEUED, ~at_work)
        .order_by(RunRow.ordinal)
        .limit(1)
    )


def taken(run_id: RunId) -> Update:
    """Note that the run is at work, for one more attempt."""
    return (
        update(RunRow)
        .where(RunRow.id == run_id)
        .values(status=RunStatus.RUNNING, attempt=RunRow.attempt + 1)
    )


def end(connection: Connection, run: Run, ending: Ending, now: datetime) -> bool:
    """Note how the run ended; False where another attempt has it or it has ended already."""
    usage = ending.answer.usage if ending.answer else ()
    parameters = {
        "run": run.id,
        "of_attempt": run.attempt,
        "ended_as": ending.status,
        "code": ending.error_code,
        "message_of_error": ending.error_message,
        "used": [asdict(part) for part in usage],
        "now": now,
    }
    return (connection.execute(turn_statements.end_run(), parameters)).rowcount == 1


def next_position(connection: Connection, conversation_id: ConversationId, now: datetime) -> int:
    """Take the next place in a transcript and return it."""
    parameters = {"conversation": conversation_id, "now": now}
    place: int = connection.scalar(turn_statements.next_position(), parameters)
    return place


def message_count(connection: Connection, conversation_id: ConversationId) -> int:
    """Return the length of a transcript."""
    query = select(ConversationRow.message_count).where(ConversationRow.id == conversation_id)
    return (connection.execute(query)).scalar_one()
