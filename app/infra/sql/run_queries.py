"""Reads runs."""

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from app.infra.sql.conversation_tables import ConversationRow, RunRow
from app.infra.sql.run_rows import run_of
from core.errors import NotFound
from core.ids import ConversationId, RunId
from core.principal import Principal
from core.runs import Run


def owned(principal: Principal, run_id: RunId) -> ColumnElement[bool]:
    """Say that a row is this run, and the caller's."""
    return and_(
        RunRow.id == run_id,
        RunRow.tenant_id == principal.tenant_id,
        RunRow.principal == principal.id,
    )


def read_run(connection: Connection, run_id: RunId) -> Run:
    """Return the run. Raises `NotFound`."""
    return _one(connection, RunRow.id == run_id)


def read_own_run(connection: Connection, principal: Principal, run_id: RunId) -> Run:
    """Return the caller's run. Raises `NotFound`."""
    return _one(connection, owned(principal, run_id))


def runs_of(principal: Principal, conversation_id: ConversationId) -> Select[object]:
    """Select a conversation's runs, the caller's only, in the order of admission."""
    return (
        _runs()
        .where(
            RunRow.conversation_id == conversation_id,
            RunRow.tenant_id == principal.tenant_id,
            RunRow.principal == principal.id,
        )
        .order_by(RunRow.ordinal)
    )


def _one(connection: Connection, condition: ColumnElement[bool]) -> Run:
    row = connection.execute(_runs().where(condition)).one_or_none()
    if row is None:
        raise NotFound("There is no such run.")
    return run_of(row._asdict())


def _runs() -> Select[object]:
    log = (ConversationRow.log_epoch, ConversationRow.log_head, ConversationRow.log_messages)
    joined = RunRow.conversation_id == ConversationRow.id
    return select(RunRow.__table__, *log).join(ConversationRow, joined)
