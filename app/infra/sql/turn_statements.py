"""The statements of every turn, each built once.

Building a statement anew and finding it in SQLAlchemy's cache takes 300 to 500 µs, three times
as long as executing one that was kept (measured); a turn has a dozen.
"""

from functools import cache

from sqlalchemy import JSON, Connection, Executable, Select, Update, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from app.infra.sql.base import table_of
from app.infra.sql.conversation_tables import ConversationRow, MessageRow, RunRow
from app.infra.sql.run_rows import LIVE
from app.infra.sql.upsert import upsert
from app.infra.sql.utc_datetime import UtcDateTime
from core.runs import RunStatus

Upsert = SqliteInsert | PostgresInsert


@cache
def live_runs() -> Select[str, str]:
    """Runs that are not finished. Takes `conversation`."""
    return (
        select(RunRow.id, RunRow.status)
        .where(RunRow.conversation_id == bindparam("conversation"), RunRow.status.in_(LIVE))
        .order_by(RunRow.ordinal)
    )


def touch_conversation(connection: Connection) -> Executable:
    """Make a conversation, or note the change. Takes its columns.

    `message_count` is added to what is there.
    """
    return _touch_conversation(connection.dialect.name)


def insert_run(connection: Connection) -> Upsert:
    """Write a run, unless its id is taken. Takes its columns."""
    return _insert_run(connection.dialect.name)


def insert_message(connection: Connection) -> Upsert:
    """Write a message, unless its id is taken in its conversation. Takes its columns."""
    return _insert_message(connection.dialect.name)


@cache
def end_run() -> Update:
    """Note how a run ended, unless another attempt has it or it has ended.

    Takes `run`, `of_attempt` and the columns that change.
    """
    return (
        update(table_of(RunRow))
        .where(
            RunRow.id == bindparam("run"),
            RunRow.status == RunStatus.RUNNING,
            RunRow.attempt == bindparam("of_attempt"),
        )
        .values(
            status=bindparam("ended_as"),
            error_code=bindparam("code"),
            error_message=bindparam("message_of_error"),
            usage=bindparam("used", type_=JSON),
            finished_at=bindparam("now", type_=UtcDateTime),
        )
    )


@cache
def next_position() -> Update:
    """Take the next place in a transcript and return it. Takes `conversation` and `now`."""
    return (
        update(table_of(ConversationRow))
        .where(ConversationRow.id == bindparam("conversation"))
        .values(
            message_count=ConversationRow.message_count + 1,
            updated_at=bindparam("now", type_=UtcDateTime),
        )
        .returning(ConversationRow.message_count)
    )


@cache
def own_conversation() -> Select[object]:
    """Read a conversation. Takes `conversation`, `tenant`, `caller`."""
    return select(ConversationRow.__table__).where(
        ConversationRow.id == bindparam("conversation"),
        ConversationRow.tenant_id == bindparam("tenant"),
        ConversationRow.owner == bindparam("caller"),
    )


@cache
def own_messages() -> Select[object]:
    """Read a transcript. Takes what `own_conversation` does, `after`, `until` and `most`."""
    return (
        select(MessageRow.__table__)
        .join(
            ConversationRow,
            and_(
                ConversationRow.id == MessageRow.conversation_id,
                ConversationRow.tenant_id == bindparam("tenant"),
                ConversationRow.owner == bindparam("caller"),
            ),
        )
        .where(
            MessageRow.conversation_id == bindparam("conversation"),
            MessageRow.position > bindparam("after"),
            MessageRow.position <= bindparam("until"),
        )
        .order_by(MessageRow.position)
        .limit(bindparam("most"))
    )


@cache
def _touch_conversation(dialect: str) -> Executable:
    statement = upsert(dialect, ConversationRow)
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "updated_at": statement.excluded.updated_at,
            "message_count": ConversationRow.message_count + statement.excluded.message_count,
        },
    ).returning(ConversationRow.tenant_id, ConversationRow.owner, ConversationRow.message_count)


@cache
def _insert_run(dialect: str) -> Upsert:
    return upsert(dialect, RunRow).on_conflict_do_nothing(index_elements=["id"])


@cache
def _insert_message(dialect: str) -> Upsert:
    return upsert(dialect, MessageRow).on_conflict_do_nothing(
        index_elements=["conversation_id", "id"]
    )
