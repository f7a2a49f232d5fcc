"""The statements of every turn, each built once.

Building a statement anew and finding it in SQLAlchemy's cache takes 300 to 500 µs, three times
as long as executing one that was kept (measured); a turn has a dozen.
"""

from functools import cache

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    bindparam,
    or_,
    select,
)

from app.infra.sql.attempts import QUEUED
from app.infra.sql.conversation_tables import ConversationRow, MessageRow, RunRow
from app.infra.sql.moments import POSTGRES, lease_end, moment
from app.infra.sql.upsert import upsert


@cache
def live_runs() -> Select[str, str]:
    """Runs of a conversation that wait or whose end is not told. Takes `conversation`."""
    return select(RunRow.id, RunRow.status).where(
        RunRow.conversation_id == bindparam("conversation"),
        or_(RunRow.is_active, RunRow.status == QUEUED),
    )


def touch_conversation(connection: Connection) -> Executable:
    """Make a conversation, or note the change. Takes its columns.

    `message_count` and `fence` are added to what is there.
    """
    return _touch_conversation(connection.dialect.name)


def insert_run(connection: Connection, *, starts: bool) -> Executable:
    """Write a run and return its moments, unless its id is taken. Takes its columns."""
    return _insert_run(connection.dialect.name, starts)


def insert_message(connection: Connection) -> Executable:
    """Write a message and return its id, unless that is taken. Takes its columns."""
    return _insert_message(connection.dialect.name)


# Where a statement gives a moment itself, the node's that comes with the columns is ignored.


@cache
def _touch_conversation(dialect: str) -> Executable:
    statement = upsert(dialect, ConversationRow)
    if dialect == POSTGRES:
        statement = statement.values(created_at=moment(dialect), updated_at=moment(dialect))
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "updated_at": statement.excluded.updated_at,
            "message_count": ConversationRow.message_count + statement.excluded.message_count,
            "fence": ConversationRow.fence + statement.excluded.fence,
        },
    ).returning(
        ConversationRow.tenant_id,
        ConversationRow.owner,
        ConversationRow.message_count,
        ConversationRow.fence,
        ConversationRow.log_epoch,
        ConversationRow.log_head,
        ConversationRow.log_messages,
    )


@cache
def _insert_run(dialect: str, starts: bool) -> Executable:
    statement = upsert(dialect, RunRow)
    if dialect == POSTGRES:
        statement = statement.values(created_at=moment(dialect))
    if dialect == POSTGRES and starts:
        statement = statement.values(taken_at=moment(dialect), lease_until=lease_end(dialect))
    answer = statement.on_conflict_do_nothing(index_elements=["id"])
    return answer.returning(RunRow.created_at, RunRow.taken_at)


@cache
def _insert_message(dialect: str) -> Executable:
    statement = upsert(dialect, MessageRow)
    if dialect == POSTGRES:
        statement = statement.values(created_at=moment(dialect))
    answer = statement.on_conflict_do_nothing(index_elements=["conversation_id", "id"])
    return answer.returning(MessageRow.id)
