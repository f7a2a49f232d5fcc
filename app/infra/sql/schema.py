"""Knows all tables, and brings a database to them."""

from pathlib import Path

from sqlalchemy import Connection, MetaData, text

from app.infra.sql import conversation_tables, knowledge_tables, node_tables
from app.infra.sql.base import Base
from app.infra.sql.engine import Database
from app.infra.sql.tools import tables as tool_tables

MIGRATIONS = Path(__file__).parent / "migrations"

# Another node may be at it: it is waited for, however long it takes.
POSTGRES_TURN = (
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    f"SELECT pg_advisory_xact_lock({int.from_bytes(b'migrate')})",
)

# Importing a module of tables is what adds its tables.
TABLES = (conversation_tables, knowledge_tables, node_tables, tool_tables)


def metadata() -> MetaData:
    """Return every table of the product."""
    return Base.metadata


async def migrate(database: Database) -> None:
    """Run the migrations that the database has not seen, in one transaction.

    Several nodes may start at the same time: one does it. Raises `StorageUnavailable`.
    """
    async with database.writing() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    # Deferred: Alembic and its templates take 0.2 s, and tests of stores do without.
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        for statement in POSTGRES_TURN:
            connection.execute(text(statement))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
