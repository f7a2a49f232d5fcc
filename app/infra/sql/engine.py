"""Opens the relational database and hands out transactions."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, StaticPool

from app.infra.sql.eager_sqlite import connect
from core.errors import StorageUnavailable

BUSY_TIMEOUT_MS = 30_000
WRITES = "colloquy_writes"

T = TypeVar("T")


class Database:
    """Transactions on one database.

    `read` and `write` take the whole work as one function and do it in one trip to a thread: the
    way of every turn. `reading` and `writing` give a connection to work with step by step.

    On SQLite a writer takes the write lock when it begins (`BEGIN IMMEDIATE`): a transaction
    that reads first and locks later fails at once when another wrote in between, whatever the
    busy timeout says.
    """

    def __init__(self, engine: AsyncEngine, lane: "Lane | None" = None) -> None:
        self._engine = engine
        self._lane = lane
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
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        event.listen(engine.sync_engine, "begin", _begin_next)
        return cls(engine, Lane(path))

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

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` reads; it must wait for nothing else. Raises `StorageUnavailable`."""
        if self._lane is None:
            async with self.reading() as connection:
                return await connection.run_sync(work)
        async with _translated():
            return await self._lane.run(work, writes=False)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` gives: committed when it returns, rolled back on any error.

        It must wait for nothing else. Cancelling does not stop it half-way: it is done, or not
        begun. Raises `StorageUnavailable`.
        """
        if self._lane is None:
            async with self.writing() as connection:
                return await connection.run_sync(work)
        async with _translated():
            return await self._lane.run(work, writes=True)

    async def ping(self) -> None:
        """Ask the database anything. Raises `StorageUnavailable`."""
        async with self.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close every connection."""
        if self._lane is not None:
            await asyncio.to_thread(self._lane.close)
        await self._engine.dispose()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StorageUnavailable("The database could not be used.") from error


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


def _begin_now(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES, False):
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE")


class Lane:
    """One thread with one connection to an SQLite file, through which every turn goes."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _prepare_connection)
        event.listen(self._engine, "begin", _begin_now)
        self._writer = self._engine.execution_options(**{WRITES: True})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Return what `work` gives, after those that came before it."""
        engine = self._writer if writes else self._engine
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _transact, engine, work)

    def close(self) -> None:
        """Finish what waits, and close the connection."""
        self._thread.shutdown()
        self._engine.dispose()


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)
