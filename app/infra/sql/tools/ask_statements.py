"""The statements of questions to people; see `turn_statements`."""

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.orm import aliased

from app.infra.sql.attempts import run_is_at_work
from app.infra.sql.base import table_of
from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.moments import moment, seconds_later
from app.infra.sql.tools.tables import AskRow, ToolCallRow
from core.runs import RunStatus

# The run that asked, and the one in which the call was decided on; they may be the same.
ASKER = aliased(RunRow, name="asker")
ROOT = aliased(RunRow, name="root")


@cache
def lock_run() -> Select[str, str]:
    """Read whose run is at work in an attempt, and lock it. Takes `run`, `of_fence`, `node`."""
    run = select(RunRow.tenant_id, RunRow.conversation_id).where(run_is_at_work())
    return run.with_for_update(read=True)


@cache
def last_ask(dialect: str) -> Select[object]:
    """Read the last question of one kind about a call. Takes `root`, `call`, `of_kind`."""
    return (
        select(AskRow.__table__, _is_expired(dialect))
        .where(
            AskRow.root_id == bindparam("root"),
            AskRow.call_id == bindparam("call"),
            AskRow.kind == bindparam("of_kind"),
        )
        .order_by(AskRow.number.desc())
        .limit(1)
    )


@cache
def call_attempts() -> Select[int]:
    """Read how often a call was begun. Takes `root`, `call`."""
    return select(ToolCallRow.attempts).where(
        ToolCallRow.root_id == bindparam("root"), ToolCallRow.call_id == bindparam("call")
    )


@cache
def insert_ask(dialect: str) -> Executable:
    """Write a question and return it. Takes its columns, but for its moments."""
    moments = {"asked_at": moment(dialect), "expires_at": seconds_later(dialect)}
    return insert(table_of(AskRow)).values(**moments).returning(*table_of(AskRow).c)


@cache
def asks_of_root() -> Select[object]:
    """Read all questions about the calls of a run, oldest first. Takes `root`."""
    asks = select(AskRow.__table__).where(AskRow.root_id == bindparam("root"))
    return asks.order_by(AskRow.ordinal)


@cache
def named_asks() -> Select[object]:
    """Read questions, oldest first. Takes `ids`."""
    asks = select(AskRow.__table__).where(AskRow.id.in_(bindparam("ids", expanding=True)))
    return asks.order_by(AskRow.ordinal)


@cache
def asks_left_by() -> Select[list[str]]:
    """Read the ids of the questions that a run ended with. Takes `run`."""
    return select(RunRow.asks).where(RunRow.id == bindparam("run"))


@cache
def pending_asks(dialect: str) -> Select[object]:
    """Read what waits for an answer, oldest first. Takes `conversation`."""
    return (
        select(AskRow.__table__)
        .join(ASKER, ASKER.id == AskRow.run_id)
        .join(ROOT, ROOT.id == AskRow.root_id)
        .where(
            AskRow.conversation_id == bindparam("conversation"),
            AskRow.decision.is_(None),
            AskRow.expires_at > moment(dialect),
            ASKER.status == RunStatus.INTERRUPTED,
            ~_is_passed_over(),
        )
        .order_by(AskRow.ordinal)
    )


@cache
def answered_asks(dialect: str) -> Select[object]:
    """Read questions, how they stand, and what they are about. Takes `conversation`, `ids`."""
    return (
        select(
            AskRow.__table__,
            _is_expired(dialect),
            _is_passed_over().label("is_passed_over"),
            (ASKER.status == RunStatus.INTERRUPTED).label("is_put"),
            ROOT.message_id,
            ROOT.message,
            ROOT.collection,
        )
        .join(ASKER, ASKER.id == AskRow.run_id)
        .join(ROOT, ROOT.id == AskRow.root_id)
        .where(
            AskRow.conversation_id == bindparam("conversation"),
            AskRow.id.in_(bindparam("ids", expanding=True)),
        )
    )


@cache
def decide_ask(dialect: str) -> Update:
    """Record an answer, unless there is one. Takes `ask` and the columns that change."""
    return (
        update(table_of(AskRow))
        .where(AskRow.id == bindparam("ask"), AskRow.decision.is_(None))
        .values(
            decision=bindparam("as_decided"),
            edited=bindparam("as_edited"),
            comment=bindparam("with_comment"),
            decided_at=moment(dialect),
            decided_by=bindparam("caller"),
            answered_by_run=bindparam("run"),
        )
        .returning(AskRow.id)
    )


def _is_expired(dialect: str) -> ColumnElement[bool]:
    return (AskRow.expires_at <= moment(dialect)).label("is_expired")


def _is_passed_over() -> ColumnElement[bool]:
    """Say that the person has said something else since."""
    later = aliased(RunRow)
    return exists().where(
        and_(
            later.conversation_id == AskRow.conversation_id,
            later.root_id == "",
            later.ordinal > ROOT.ordinal,
        )
    )
