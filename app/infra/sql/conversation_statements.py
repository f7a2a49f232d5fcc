"""The statements that read conversations; see `turn_statements`."""

from functools import cache

from sqlalchemy import Select, and_, bindparam, select

from app.infra.sql.conversation_tables import ConversationRow, MessageRow


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
