"""Adds to a transcript what calls gave back after their message was written."""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import Connection, Select, Update, and_, bindparam, or_, select, update

from app.infra.sql.base import table_of
from app.infra.sql.conversation_tables import MessageRow, RunRow
from core.conversations import Role
from core.runs import Run
from core.storable_text import storable


def add_late_results(connection: Connection, run: Run, results: Mapping[str, str]) -> None:
    """Add results, by call id, to the messages of the runs that this one continues.

    What is no call of theirs changes nothing.
    """
    columns = {"conversation": run.conversation_id, "root": run.root_id}
    for row in connection.execute(_answers(), columns).all():
        calls = [_answered(call, results) for call in row.tool_calls]
        if calls != row.tool_calls:
            message = {"conversation": run.conversation_id, "message": row.id, "calls": calls}
            connection.execute(_put_calls(), message)


def _answered(call: dict[str, object], results: Mapping[str, str]) -> dict[str, object]:
    result = results.get(str(call["id"]))
    return call if result is None else {**call, "result": storable(result)}


@cache
def _answers() -> Select[str, list[dict[str, object]]]:
    runs = select(RunRow.id).where(
        RunRow.conversation_id == bindparam("conversation"),
        or_(RunRow.id == bindparam("root"), RunRow.root_id == bindparam("root")),
    )
    return select(MessageRow.id, MessageRow.tool_calls).where(
        MessageRow.conversation_id == bindparam("conversation"),
        MessageRow.role == Role.ASSISTANT,
        MessageRow.run_id.in_(runs),
    )


@cache
def _put_calls() -> Update:
    return (
        update(table_of(MessageRow))
        .where(
            and_(
                MessageRow.conversation_id == bindparam("conversation"),
                MessageRow.id == bindparam("message"),
            )
        )
        .values(tool_calls=bindparam("calls", type_=MessageRow.tool_calls.type))
    )
