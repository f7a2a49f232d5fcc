"""Opens the relational database and hands out transactions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from app.infra.sql.eager_sqlite import connect
from core.errors import StorageUnavailable

BUSY_TIMEOUT_MS = 30_000
WRITES = "colloquy_writes"


class Database:
    """Transactions on one database: `reading` and `writing`.

    On SQLite a writer takes the write lock when it begins (`BEGIN IMMEDIATE`): a transaction
    that reads first and locks later fails at once when another wrote in between, whatever the
    busy timeout says.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})

    @classmethod
    def sqlite(cls, path: Path) -> Self:
        """Return a database in the file at `path`; its folder is made where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(
            "sqlite+aiosqlite:///",
            # An URL without a file would mean one database in memory for each connection.
            async_creator=partial(_opened, path),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=4,
            max_overflow=4,
        )
        _tune_sqlite(engine.sync_engine)
        return cls(engine)

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and tests."""
        return self._engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection to read with; each statement sees one moment.

        Raises `StorageUnavailable`.
        """
        async with _translated(), self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction: committed at the end, rolled back on any error.

        Raises `StorageUnavailable`.
        """
        async with _translated(), self._writer.begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask the database anything. Raises `StorageUnavailable`."""
        async with self.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StorageUnavailable("The database could not be used.") from error


async def _opened(path: Path) -> aiosqlite.Connection:
    return await connect(path)


def _tune_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)


def _prepare_connection(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A reader needs no transaction: each statement sees one moment by itself.
    if not connection.get_execution_options().get(WRITES, False):
        return
    driver: Any = connection.connection.driver_connection
    driver.begin_next()
