"""Collections in the relational database."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import Connection, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import collection_of
from app.infra.sql.knowledge_statements import collection_named
from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow
from app.infra.sql.upsert import upsert
from core.clock import Clock
from core.documents import DEFAULT_COLLECTION, Collection
from core.errors import Conflict, NotFound
from core.principal import Principal

NAMES_IN_ERROR = 20


class SqlCollectionStore:
    """See `CollectionStore`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, principal: Principal, name: str) -> Collection:
        """See `CollectionStore`."""
        async with self._database.writing() as connection:
            is_new = await self._insert(connection, principal, name)
            if not is_new or name == DEFAULT_COLLECTION:
                raise Conflict(f"There is a collection named '{name}' already.")
            return await _read(connection, principal, name)

    async def get(self, principal: Principal, name: str) -> Collection:
        """See `CollectionStore`."""

        def read(connection: Connection) -> Collection | None:
            row = connection.execute(collection_named(), _named(principal, name)).one_or_none()
            return None if row is None else collection_of(row._asdict())

        found = await self._database.read(read)
        if found is not None:
            return found
        names = [collection.name for collection in await self.list(principal)]
        if name in names:
            # The default one has come into being by being asked for.
            async with self._database.reading() as connection:
                return await _read(connection, principal, name)
        raise NotFound(_missing(name, names))

    async def list(self, principal: Principal) -> Sequence[Collection]:
        """See `CollectionStore`."""
        async with self._database.reading() as connection:
            found = await _all(connection, principal)
        if any(collection.name == DEFAULT_COLLECTION for collection in found):
            return found
        async with self._database.writing() as connection:
            await self._insert(connection, principal, DEFAULT_COLLECTION)
            return await _all(connection, principal)

    async def delete(self, principal: Principal, name: str) -> bool:
        """See `CollectionStore`."""
        has_documents = exists().where(DocumentRow.collection_id == CollectionRow.id)
        statement = delete(CollectionRow).where(
            CollectionRow.tenant_id == principal.tenant_id,
            CollectionRow.name == name,
            ~has_documents,
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)
            return await _find(connection, principal, name) is None

    async def _insert(self, connection: AsyncConnection, principal: Principal, name: str) -> bool:
        # Two who make the same one at once: the constraint lets one of them in.
        statement = upsert(connection.dialect.name, CollectionRow).values(
            id=str(uuid4()),
            tenant_id=principal.tenant_id,
            name=name,
            created_at=self._clock.now(),
        )
        statement = statement.on_conflict_do_nothing(index_elements=["tenant_id", "name"])
        # Not the count of rows: of an insert no driver has to tell it.
        return await connection.scalar(statement.returning(CollectionRow.id)) is not None


async def _all(connection: AsyncConnection, principal: Principal) -> list[Collection]:
    query = (
        select(CollectionRow.__table__)
        .where(CollectionRow.tenant_id == principal.tenant_id)
        .order_by(CollectionRow.name)
    )
    return [collection_of(row._asdict()) for row in await connection.execute(query)]


def _named(principal: Principal, name: str) -> dict[str, object]:
    return {"tenant": principal.tenant_id, "collection": name}


async def _find(connection: AsyncConnection, principal: Principal, name: str) -> Collection | None:
    row = (await connection.execute(collection_named(), _named(principal, name))).one_or_none()
    return None if row is None else collection_of(row._asdict())


async def _read(connection: AsyncConnection, principal: Principal, name: str) -> Collection:
    found = await _find(connection, principal, name)
    if found is None:
        raise NotFound(f"There is no collection named '{name}'.")
    return found


def _missing(name: str, names: Sequence[str]) -> str:
    named = ", ".join(f"'{other}'" for other in names[:NAMES_IN_ERROR])
    more = len(names) - NAMES_IN_ERROR
    rest = f" and {more} more" if more > 0 else ""
    return f"There is no collection named '{name}'. There are: {named}{rest}."
