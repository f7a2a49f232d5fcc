"""Documents in the relational database."""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, delete, select, tuple_

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import document_of
from app.infra.sql.knowledge_statements import has_ready
from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow
from core.documents import Document
from core.errors import NotFound
from core.ids import CollectionId, DocumentId
from core.ports.document_store import DocumentMark
from core.principal import Principal


class SqlDocumentStore:
    """See `DocumentStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, principal: Principal, document_id: DocumentId) -> Document:
        """See `DocumentStore`."""
        query = _owned(principal).where(DocumentRow.id == document_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("There is no such document.")
        return document_of(row._asdict())

    async def list(
        self,
        principal: Principal,
        collection_id: CollectionId,
        limit: int,
        before: DocumentMark | None = None,
    ) -> Sequence[Document]:
        """See `DocumentStore`."""
        query = (
            _owned(principal)
            .where(DocumentRow.collection_id == collection_id)
            .order_by(DocumentRow.created_at.desc(), DocumentRow.id.desc())
            .limit(limit)
        )
        if before is not None:
            place = tuple_(DocumentRow.created_at, DocumentRow.id)
            query = query.where(place < (before.created_at, before.id))
        async with self._database.reading() as connection:
            return [document_of(row._asdict()) for row in await connection.execute(query)]

    async def has_ready(self, principal: Principal, collection_name: str) -> bool | None:
        """See `DocumentStore`."""
        parameters = {"tenant": principal.tenant_id, "collection": collection_name}

        def read(connection: Connection) -> bool | None:
            found: bool | None = connection.scalar(has_ready(), parameters)
            return None if found is None else bool(found)

        return await self._database.read(read)

    async def delete(self, principal: Principal, document_id: DocumentId) -> None:
        """See `DocumentStore`."""
        # Its passages go with it: their foreign key cascades.
        remove = delete(DocumentRow).where(
            DocumentRow.tenant_id == principal.tenant_id, DocumentRow.id == document_id
        )
        async with self._database.writing() as connection:
            await connection.execute(remove)


def _owned(principal: Principal) -> Select[tuple[object, ...]]:
    return (
        select(DocumentRow.__table__, CollectionRow.name.label("collection"))
        .join(CollectionRow, CollectionRow.id == DocumentRow.collection_id)
        .where(DocumentRow.tenant_id == principal.tenant_id)
    )
