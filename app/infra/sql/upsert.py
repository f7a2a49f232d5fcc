"""Builds `INSERT ... ON CONFLICT` for the engine at hand."""

from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.infra.sql.base import Base, table_of

Upsert = SqliteInsert | PostgresInsert


def upsert(dialect: str, table: type[Base]) -> Upsert:
    """Return an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    bare = table_of(table)
    return postgres_insert(bare) if dialect == "postgresql" else sqlite_insert(bare)
