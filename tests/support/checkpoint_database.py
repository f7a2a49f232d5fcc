"""A database in Postgres with as much of the table of runs as the checkpoints look at."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection, connect
from psycopg.rows import TupleRow

from core.ids import RunId
from tests.support.postgres_server import PostgresServer

RUNS = "CREATE TABLE runs (id text PRIMARY KEY, fence bigint NOT NULL, is_active bool NOT NULL)"
CLAIM = "UPDATE runs SET fence = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class CheckpointDatabase:
    """Its URL, and what nodes do to their runs."""

    url: str

    async def add_run(self, run_id: RunId, fence: int = 1) -> None:
        """Make a run that a node has."""
        await self.execute("INSERT INTO runs VALUES (%s, %s, true)", run_id, fence)

    async def claim(self, run_id: RunId, fence: int) -> None:
        """Give the run to another attempt."""
        await self.execute(CLAIM, fence, run_id)

    async def tell(self, run_id: RunId) -> None:
        """Note that the run's end was told."""
        await self.execute("UPDATE runs SET is_active = false WHERE id = %s", run_id)

    async def rows(self, query: LiteralString, *values: object) -> list[TupleRow]:
        """Return what a query gives."""
        async with self.session() as session:
            return await (await session.execute(query, values)).fetchall()

    async def execute(self, statement: LiteralString, *values: object) -> None:
        """Execute a statement, and commit it."""
        async with self.session() as session:
            await session.execute(statement, values)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose transaction is committed at the end."""
        async with await AsyncConnection.connect(self.url) as connection:
            yield connection


@contextmanager
def checkpoint_database(server: PostgresServer) -> Iterator[CheckpointDatabase]:
    """Give a new database, which is gone afterwards."""
    url = server.new_database()
    with connect(url) as connection:
        connection.execute(RUNS)
    try:
        yield CheckpointDatabase(url)
    finally:
        server.drop(url)
