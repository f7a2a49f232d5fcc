"""Conversations and transcripts in the relational database."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, tuple_, update

from app.infra.sql.conversation_statements import own_conversation, own_messages
from app.infra.sql.conversation_tables import ConversationRow
from app.infra.sql.engine import Database
from app.infra.sql.run_rows import log_of, message_of
from core.conversations import Conversation, Message
from core.errors import NotFound
from core.ids import ConversationId, PrincipalId, TenantId
from core.ports.conversation_store import ConversationMark
from core.principal import Principal

# More messages than a conversation can have, and still a number to every engine.
EVERY = 2**31 - 1


class SqlConversationStore:
    """See `ConversationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, principal: Principal, limit: int, before: ConversationMark | None = None
    ) -> Sequence[Conversation]:
        """See `ConversationStore`."""
        query = (
            select(ConversationRow.__table__)
            .where(_owned(principal))
            .order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
            .limit(limit)
        )
        if before is not None:
            place = tuple_(ConversationRow.updated_at, ConversationRow.id)
            query = query.where(place < (before.updated_at, before.id))

        def read(connection: Connection) -> list[Conversation]:
            return [_conversation_of(row) for row in connection.execute(query)]

        return await self._database.read(read)

    async def get(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """See `ConversationStore`."""
        own = _place(principal, conversation_id)
        return await self._database.read(partial(_read, own=own))

    async def rename(
        self, principal: Principal, conversation_id: ConversationId, title: str
    ) -> Conversation:
        """See `ConversationStore`."""

        def write(connection: Connection) -> Conversation:
            connection.execute(
                update(ConversationRow)
                .where(_owned(principal), ConversationRow.id == conversation_id)
                .values(title=title)
            )
            return _read(connection, _place(principal, conversation_id))

        return await self._database.write(write)

    async def delete(self, principal: Principal, conversation_id: ConversationId) -> None:
        """See `ConversationStore`."""

        def write(connection: Connection) -> None:
            _read(connection, _place(principal, conversation_id))
            # Messages and runs go with it: their foreign keys cascade.
            connection.execute(delete(ConversationRow).where(ConversationRow.id == conversation_id))

        await self._database.write(write)

    async def messages(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Message]:
        """See `ConversationStore`."""
        parameters = {
            **_place(principal, conversation_id),
            "after": after,
            "until": EVERY if until is None else until,
            "most": EVERY if limit is None else limit,
        }

        def read(connection: Connection) -> list[Message]:
            rows = connection.execute(own_messages(), parameters)
            return [message_of(row._asdict()) for row in rows]

        return await self._database.read(read)


def _owned(principal: Principal) -> ColumnElement[bool]:
    return and_(
        ConversationRow.tenant_id == principal.tenant_id, ConversationRow.owner == principal.id
    )


def _place(principal: Principal, conversation_id: ConversationId) -> dict[str, object]:
    return {
        "conversation": conversation_id,
        "tenant": principal.tenant_id,
        "caller": principal.id,
    }


def _read(connection: Connection, own: dict[str, object]) -> Conversation:
    rows = connection.execute(own_conversation(), own)
    row = rows.one_or_none()
    if row is None:
        raise NotFound("There is no such conversation.")
    return _conversation_of(row)


def _conversation_of(row: Row[object]) -> Conversation:
    columns = row._asdict()
    return Conversation(
        id=ConversationId(columns["id"]),
        tenant_id=TenantId(columns["tenant_id"]),
        owner=PrincipalId(columns["owner"]),
        title=columns["title"],
        message_count=columns["message_count"],
        log=log_of(columns),
        created_at=columns["created_at"],
        updated_at=columns["updated_at"],
    )
