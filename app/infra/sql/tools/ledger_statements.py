"""The statements of the ledger, each one transaction and, on Postgres, one round trip.

A write takes what it says from the run's row, and locks that: where another attempt has the run
nothing is written, and a claim that is under way is waited for. See `turn_statements`.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    literal,
    null,
    select,
)

from app.infra.sql.attempts import run_is_at_work
from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.moments import moment
from app.infra.sql.tools.tables import ToolCallRow
from app.infra.sql.upsert import Upsert, upsert
from app.infra.sql.utc_datetime import UtcDateTime

KEY = ["root_id", "call_id"]


@cache
def begin_call(dialect: str) -> Executable:
    """Record a call that begins, unless it is on record. Takes what `_record` does, and `node`."""
    statement = _record(dialect, run_is_at_work(), ended_at=cast(null(), UtcDateTime))
    return statement.on_conflict_do_nothing(index_elements=KEY).returning(ToolCallRow.call_id)


@cache
def begin_call_again(dialect: str) -> Executable:
    """Record that a call begins once more. Takes what `begin_call` does."""
    statement = _record(dialect, run_is_at_work(), ended_at=cast(null(), UtcDateTime))
    new = statement.excluded
    changes: dict[str, ColumnElement[Any]] = {
        **{name: new[name] for name in (*ATTEMPT, "started_at")},
        "attempts": ToolCallRow.attempts + 1,
    }
    return statement.on_conflict_do_update(index_elements=KEY, set_=changes).returning(
        ToolCallRow.call_id
    )


@cache
def end_call(dialect: str) -> Executable:
    """Record what came of a call, begun or not. Takes what `_record` does."""
    # What has happened is true even where the attempt has given its run away meanwhile, as long
    # as no other has it.
    is_last = and_(RunRow.id == bindparam("run"), RunRow.fence == bindparam("of_fence"))
    statement = _record(dialect, is_last, ended_at=moment(dialect))
    changes = {name: statement.excluded[name] for name in ATTEMPT}
    return statement.on_conflict_do_update(index_elements=KEY, set_=changes).returning(
        ToolCallRow.call_id
    )


@cache
def recorded_call() -> Select[str, str, str]:
    """Read what is on record for an attempt that has the run. Takes what `begin_call` does."""
    return select(ToolCallRow.status, ToolCallRow.arguments_hash, ToolCallRow.result).where(
        ToolCallRow.root_id == bindparam("root"),
        ToolCallRow.call_id == bindparam("call"),
        exists().where(run_is_at_work()),
    )


# What an attempt says of a call, and no other after it.
ATTEMPT = ("run_id", "fence", "arguments_hash", "status", "result", "ended_at")


def _record(
    dialect: str, condition: ColumnElement[bool], *, ended_at: ColumnElement[Any]
) -> Upsert:
    """Insert a call where the run's row fits.

    Takes `root`, `call`, `run`, `of_fence`, `of_tool`, `of_effect`, `of_hash`, `as_status`,
    `with_result`.
    """
    columns: dict[str, ColumnElement[Any]] = {
        "root_id": _text("root"),
        "call_id": _text("call"),
        "tenant_id": RunRow.tenant_id.expression,
        "conversation_id": RunRow.conversation_id.expression,
        "run_id": RunRow.id.expression,
        "tool": _text("of_tool"),
        "effect": _text("of_effect"),
        "arguments_hash": _text("of_hash"),
        "status": _text("as_status"),
        "result": _text("with_result"),
        "attempts": literal(1),
        "fence": RunRow.fence.expression,
        "started_at": moment(dialect),
        "ended_at": ended_at,
    }
    held = select(*columns.values()).where(condition).with_for_update(read=True)
    return upsert(dialect, ToolCallRow).from_select(list(columns), held)


def _text(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=ToolCallRow.result.type)
