"""Makes the connections to an SQLite file."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, StaticPool

from app.infra.sql.eager_sqlite import connect

BUSY_TIMEOUT_MS = 30_000
WRITES = "colloquy_writes"

T = TypeVar("T")


def sqlite_engine(path: Path) -> AsyncEngine:
    """Return an engine for the file at `path`; its folder is made where it is missing.

    A writer takes the write lock when it begins (`BEGIN IMMEDIATE`): a transaction that reads
    first and locks later fails at once when another wrote in between, whatever the busy timeout
    says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        "sqlite+aiosqlite:///",
        # An URL without a file would mean one database in memory for each connection.
        async_creator=partial(_opened, path),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=4,
        max_overflow=4,
    )
    event.listen(engine.sync_engine, "connect", _prepare_connection)
    event.listen(engine.sync_engine, "begin", _begin_next)
    return engine


class Lane:
    """One thread with one connection to an SQLite file, through which every turn goes."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _prepare_connection)
        # The thread's own. To ask the engine for it each time takes longer than a small statement.
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Return what `work` gives, after those that came before it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work, writes)

    def close(self) -> None:
        """Finish what waits, and close the connection."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def _transact(self, work: Callable[[Connection], T], writes: bool) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            if writes:
                driver: Any = self._connection.connection.driver_connection
                driver.execute("BEGIN IMMEDIATE")
            return work(self._connection)


async def _opened(path: Path) -> aiosqlite.Connection:
    return await connect(path)


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


def _begin_next(connection: Connection) -> None:
    # A reader needs no transaction: each statement sees one moment by itself.
    if connection.get_execution_options().get(WRITES, False):
        driver: Any = connection.connection.driver_connection
        driver.begin_next()
