"""The statements of a run's owner: they end it, tell its end, give it away.

Whoever needs both locks the conversation before the run. A run is written to by its owner only,
and only with its fence.
"""

from functools import cache

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    null,
    select,
    update,
)
from sqlalchemy.orm import aliased

from app.infra.sql.attempts import QUEUED, RUNNING, run_is_held
from app.infra.sql.base import table_of
from app.infra.sql.conversation_tables import ConversationRow, RunRow
from app.infra.sql.moments import moment


@cache
def add_messages(dialect: str) -> Update:
    """Lengthen the transcript of a conversation that the run has, and return its length.

    Takes `conversation`, `of_fence`, `added`.
    """
    return (
        update(table_of(ConversationRow))
        .where(_conversation_is_held())
        .values(
            message_count=ConversationRow.message_count + bindparam("added"),
            updated_at=moment(dialect),
        )
        .returning(ConversationRow.message_count)
    )


@cache
def mark_log() -> Update:
    """Note where the log of a conversation stands that the run has.

    Takes `conversation`, `of_fence`, `epoch`, `head`, `messages`.
    """
    return (
        update(table_of(ConversationRow))
        .where(_conversation_is_held())
        .values(
            log_epoch=bindparam("epoch"),
            log_head=bindparam("head"),
            log_messages=bindparam("messages"),
        )
        .returning(ConversationRow.id)
    )


@cache
def restart_log() -> Update:
    """Do as `mark_log`, where the run is still the node's. Takes also `run` and `node`."""
    return mark_log().where(exists().where(run_is_held(), RunRow.is_active))


@cache
def end_run(dialect: str) -> Update:
    """Note how the node's run ended, and return whether another waits.

    Takes `conversation`, `run`, `of_fence`, `node` and the columns that change.
    """
    return (
        update(table_of(RunRow))
        .where(run_is_held(), RunRow.status == RUNNING)
        .values(
            status=bindparam("ended_as"),
            is_active=bindparam("is_untold"),
            error_code=bindparam("code"),
            error_message=bindparam("message_of_error"),
            usage=bindparam("used", type_=JSON),
            asks=bindparam("asked", type_=JSON),
            finished_at=moment(dialect),
        )
        .returning(_has_waiting())
    )


@cache
def tell_run() -> Update:
    """Note that the end of the node's run is told, and return whether another waits.

    Takes `conversation`, `run`, `of_fence`, `node`.
    """
    return (
        update(table_of(RunRow))
        .where(run_is_held(), RunRow.is_active, RunRow.status != RUNNING)
        .values(is_active=false(), lease_until=null())
        .returning(_has_waiting())
    )


@cache
def give_away(dialect: str) -> Update:
    """Let anybody take the node's run now. Takes `run`, `of_fence`, `node`."""
    # To tell an end is no attempt: one that has ended was not given away.
    attempts = case((RunRow.status == RUNNING, 1), else_=0)
    return (
        update(table_of(RunRow))
        .where(run_is_held(), RunRow.is_active)
        .values(owner="", lease_until=moment(dialect), handovers=RunRow.handovers + attempts)
    )


@cache
def has_waiting() -> Select[bool]:
    """Tell whether a run of the conversation waits. Takes `conversation`."""
    return select(_has_waiting())


@cache
def untold_run() -> Select[int, bool]:
    """Read what `end_run` left, where it was the same end. Takes what it does."""
    return (
        select(ConversationRow.message_count, _has_waiting())
        .join(RunRow, RunRow.conversation_id == ConversationRow.id)
        .where(run_is_held(), RunRow.is_active, RunRow.status == bindparam("ended_as"))
    )


def _conversation_is_held() -> ColumnElement[bool]:
    # The fence of a conversation is that of the last run that was taken in it.
    return and_(
        ConversationRow.id == bindparam("conversation"),
        ConversationRow.fence == bindparam("of_fence"),
    )


def _has_waiting() -> ColumnElement[bool]:
    other = aliased(RunRow)
    waits = exists().where(
        other.conversation_id == bindparam("conversation"), other.status == QUEUED
    )
    return waits.label("has_waiting")
