"""Opens the relational database and hands out transactions."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.infra.sql.postgres_engine import is_collision, postgres_engine
from app.infra.sql.sqlite_engine import WRITES, Lane, sqlite_engine
from core.errors import StorageUnavailable

# A transaction that collides with others is done anew so often, after a pause of at most this.
TRIES = 6
PAUSE_SECONDS = 0.02

T = TypeVar("T")


class Database:
    """Transactions on one database, SQLite or Postgres.

    `read` and `write` take the whole work as one function: the way of every turn. On SQLite it
    is one trip to a thread. On Postgres it is done anew where it collides with another
    transaction, so it must change nothing but the database. `write_alone` is for what is one
    statement. `reading` and `writing` give a connection to work with step by step.
    """

    def __init__(self, engine: AsyncEngine, lane: Lane | None = None) -> None:
        self._engine = engine
        self._lane = lane
        self._writer = engine.execution_options(**{WRITES: True})
        # Without a transaction around it a read is one round trip instead of three.
        is_postgres = engine.dialect.name == "postgresql"
        self._reader = (
            engine.execution_options(isolation_level="AUTOCOMMIT") if is_postgres else engine
        )

    @classmethod
    def sqlite(cls, path: Path) -> Self:
        """Return a database in the file at `path`; its folder is made where it is missing."""
        return cls(sqlite_engine(path), Lane(path))

    @classmethod
    def postgres(cls, url: str, pool_size: int = 10) -> Self:
        """Return the database at `url`; nothing is opened yet. Raises `SettingsError`.

        pool_size: connections that are opened at most; who finds none free waits.
        """
        return cls(postgres_engine(url, pool_size))

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and tests."""
        return self._engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection to read with; each statement sees one moment.

        Raises `StorageUnavailable`.
        """
        async with _translated(), self._reader.connect() as connection:
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
        async with _translated():
            if self._lane is not None:
                return await self._lane.run(work, writes=False)
            return await _repeated(self._reader.connect, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` gives: committed when it returns, rolled back on any error.

        It must wait for nothing else. Cancelling does not stop it half-way: it is done, or not
        done at all. Raises `StorageUnavailable`: where the connection broke, it may be done.
        """
        async with _translated():
            if self._lane is not None:
                return await self._lane.run(work, writes=True)
            return await _repeated(self._writer.begin, work)

    async def write_alone(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` gives, each of whose statements is a transaction by itself.

        So a single statement is a single round trip. It must wait for nothing else. Raises
        `StorageUnavailable`: where the connection broke, it may be done.
        """
        async with _translated():
            if self._lane is not None:
                return await self._lane.run(work, writes=False)
            return await _repeated(self._reader.connect, work, is_whole=False)

    async def ping(self) -> None:
        """Ask the database anything. Raises `StorageUnavailable`."""
        async with self.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close every connection."""
        if self._lane is not None:
            await asyncio.to_thread(self._lane.close)
        await self._engine.dispose()


async def _repeated(
    opened: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    work: Callable[[Connection], T],
    *,
    is_whole: bool = True,
) -> T:
    """Do work anew where it collides with other work.

    is_whole: nothing of it is done before its end, so that it may be done anew where the
        connection broke before.
    """
    for _ in range(TRIES - 1):
        is_worked = False
        try:
            async with opened() as connection:
                result = await connection.run_sync(work)
                is_worked = True
            return result
        except DBAPIError as error:
            # A connection that broke before the commit was sent has changed nothing.
            is_undone = is_whole and error.connection_invalidated and not is_worked
            if not (is_undone or is_collision(error)):
                raise
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))
    async with opened() as connection:
        return await connection.run_sync(work)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise StorageUnavailable("The database could not be used.") from error
