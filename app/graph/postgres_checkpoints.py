"""Checkpoints in Postgres, shared by all nodes: a pool of connections, a saver for each attempt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import LiteralString

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection, Error
from psycopg.rows import DictRow

from app.graph.checkpoint_pool import CheckpointPool, opened_pool
from app.graph.fenced_saver import FencedPostgresSaver
from app.graph.fenced_statements import FORGET
from core.errors import StorageUnavailable
from core.ids import RunId

# Any number that nothing else in the database locks.
TRY_LOCK = "SELECT pg_try_advisory_lock(7243661200531) AS value"
UNLOCK = "SELECT pg_advisory_unlock(7243661200531)"
SETUP_SECONDS = 60.0
PAUSE_SECONDS = 0.05


class PostgresCheckpoints:
    """See `Checkpoints`. The runs, whose rows are the fence, are in the same database."""

    def __init__(self, pool: CheckpointPool) -> None:
        self._pool = pool
        # Plain data only: a checkpoint cannot name a class to be built.
        self._serializer: SerializerProtocol = JsonPlusSerializer(allowed_msgpack_modules=None)

    def saver(self, run_id: RunId, fence: int) -> FencedPostgresSaver:
        """See `Checkpoints`."""
        return FencedPostgresSaver(self._pool, self._serializer, run_id, fence)

    async def forget(self, run_ids: Sequence[RunId]) -> None:
        """See `Checkpoints`."""
        if run_ids:
            await self._pool.first_row(FORGET, {"thread_ids": list(run_ids)})


@asynccontextmanager
async def opened(url: str, size: int) -> AsyncIterator[PostgresCheckpoints]:
    """Give the checkpoints at `url`; see `checkpoints.postgres_checkpoints`."""
    async with opened_pool(url, size) as pool:
        try:
            async with asyncio.timeout(SETUP_SECONDS), pool.connections.connection() as connection:
                await _set_up(connection)
        except (Error, TimeoutError) as error:
            raise StorageUnavailable("The database could not be used.") from error
        yield PostgresCheckpoints(pool)


async def _set_up(connection: AsyncConnection[DictRow]) -> None:
    """Make LangGraph's tables, or bring them up to date; one node at a time."""
    saver = AsyncPostgresSaver(connection)
    if await _version(connection) == len(saver.MIGRATIONS) - 1:
        return
    # Asked for again and again, not waited for: an index that is built `CONCURRENTLY` waits for
    # every statement under way, also for one that waits for this lock.
    while not await _value(connection, TRY_LOCK):  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(PAUSE_SECONDS)
    try:
        await saver.setup()
    finally:
        await connection.execute(UNLOCK)


async def _version(connection: AsyncConnection[DictRow]) -> object:
    if not await _value(connection, "SELECT to_regclass('checkpoint_migrations') AS value"):
        return None
    return await _value(connection, "SELECT max(v) AS value FROM checkpoint_migrations")


async def _value(connection: AsyncConnection[DictRow], query: LiteralString) -> object:
    row = await (await connection.execute(query)).fetchone()
    return None if row is None else row["value"]
