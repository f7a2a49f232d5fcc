"""Passages in the relational database."""

from collections.abc import Collection as Some
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import passage_of
from app.infra.sql.knowledge_statements import ready_passages
from app.infra.sql.knowledge_tables import PassageRow
from core.documents import Passage
from core.ids import DocumentId, PassageId
from core.principal import Principal

# A long document's passages are written in pieces, so that other writers are let in between.
WRITE_BATCH = 200


class SqlPassageStore:
    """See `PassageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, principal: Principal, passages: Sequence[Passage]) -> None:
        """See `PassageStore`."""
        for first in range(0, len(passages), WRITE_BATCH):
            batch = passages[first : first + WRITE_BATCH]
            rows = [_columns(principal, passage) for passage in batch]
            async with self._database.writing() as connection:
                await connection.execute(insert(PassageRow), rows)

    async def get(
        self, principal: Principal, passage_ids: Some[PassageId]
    ) -> dict[PassageId, Passage]:
        """See `PassageStore`."""
        if not passage_ids:
            return {}
        parameters = {"tenant": principal.tenant_id, "ids": list(passage_ids)}

        def read(connection: Connection) -> list[Passage]:
            rows = connection.execute(ready_passages(), parameters)
            return [passage_of(row._asdict()) for row in rows]

        return {passage.id: passage for passage in await self._database.read(read)}

    async def clear(self, principal: Principal, document_id: DocumentId) -> None:
        """See `PassageStore`."""
        statement = delete(PassageRow).where(
            PassageRow.tenant_id == principal.tenant_id, PassageRow.document_id == document_id
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)


def _columns(principal: Principal, passage: Passage) -> dict[str, object]:
    return {
        "id": passage.id,
        "tenant_id": principal.tenant_id,
        "document_id": passage.document_id,
        "ordinal": passage.ordinal,
        "page": passage.page,
        "start_offset": passage.start,
        "end_offset": passage.end,
        "text": passage.text,
    }
