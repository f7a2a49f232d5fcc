"""The statements that take a run which nobody has; see `turn_statements`."""

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    not_,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from app.infra.sql.attempts import QUEUED
from app.infra.sql.base import table_of
from app.infra.sql.conversation_tables import ConversationRow, RunRow
from app.infra.sql.moments import has_no_owner, lease_end, moment

# Several nodes look at the same time: each takes one of these that no other has locked.
CANDIDATES = 32


@cache
def free_run(dialect: str) -> Select[object]:
    """Read one run that nobody has, and lock it with its conversation.

    The first are those that lost their owner, then the oldest that wait. Takes `node` on SQLite.
    """
    is_lost = and_(RunRow.is_active, has_no_owner(dialect))
    is_queued = RunRow.status == QUEUED
    lost = select(RunRow.ordinal).where(is_lost).limit(CANDIDATES).subquery()
    queued = (
        select(RunRow.ordinal)
        .where(is_queued, ~_is_behind_another())
        .order_by(RunRow.ordinal)
        .limit(CANDIDATES)
        .subquery()
    )
    candidates = union_all(select(lost.c.ordinal), select(queued.c.ordinal))
    return (
        select(RunRow.__table__)
        .join(ConversationRow, ConversationRow.id == RunRow.conversation_id)
        # A row that another took meanwhile is looked at again once it is locked, but not what
        # a subquery said about it.
        .where(RunRow.ordinal.in_(candidates), or_(is_lost, is_queued))
        .order_by(not_(RunRow.is_active), RunRow.ordinal)
        .limit(1)
        .with_for_update(of=[RunRow, ConversationRow], skip_locked=True, key_share=True)
    )


@cache
def take_conversation(dialect: str) -> Update:
    """Begin a new fence and return the conversation's marks. Takes `conversation`, `added`."""
    return (
        update(table_of(ConversationRow))
        .where(ConversationRow.id == bindparam("conversation"))
        .values(
            fence=ConversationRow.fence + 1,
            message_count=ConversationRow.message_count + bindparam("added"),
            updated_at=moment(dialect),
        )
        .returning(
            ConversationRow.message_count,
            ConversationRow.fence,
            ConversationRow.log_epoch,
            ConversationRow.log_head,
            ConversationRow.log_messages,
        )
    )


@cache
def take_run(dialect: str) -> Update:
    """Make a run the node's and return it. Takes `run`, `of_fence` and the columns that change."""
    return (
        update(table_of(RunRow))
        .where(RunRow.id == bindparam("run"), RunRow.fence == bindparam("of_fence"))
        .values(
            status=bindparam("begun_as"),
            attempt=bindparam("of_attempt"),
            fence=bindparam("new_fence"),
            owner=bindparam("node"),
            is_active=true(),
            lease_until=lease_end(dialect),
            taken_at=moment(dialect),
            message_position=bindparam("position"),
            messages_before=bindparam("before"),
        )
        .returning(*table_of(RunRow).c)
    )


def _is_behind_another() -> ColumnElement[bool]:
    active, earlier = aliased(RunRow), aliased(RunRow)
    return or_(
        exists().where(active.conversation_id == RunRow.conversation_id, active.is_active),
        exists().where(
            earlier.conversation_id == RunRow.conversation_id,
            earlier.status == QUEUED,
            earlier.ordinal < RunRow.ordinal,
        ),
    )
