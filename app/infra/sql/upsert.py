"""Builds `INSERT ... ON CONFLICT` for the engine at hand."""

from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.sql.base import Base


def upsert(connection: AsyncConnection, table: type[Base]) -> SqliteInsert | PostgresInsert:
    """Return an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    # The bare table: an insert into the mapped class goes a slower way, through the ORM.
    bare = Base.metadata.tables[table.__tablename__]
    return postgres_insert(bare) if connection.dialect.name == "postgresql" else sqlite_insert(bare)
