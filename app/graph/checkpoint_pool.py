"""The connections to Postgres that all savers of a node share."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, LiteralString

import structlog
from psycopg import AsyncConnection, Error, InterfaceError, OperationalError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from core.errors import StorageUnavailable

# How long a statement is tried again: longer than a database takes to start anew. A run whose
# lease runs out meanwhile is cancelled by whoever keeps the leases.
PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.1
# For a free connection, when all are at work or the database is away.
WAIT_SECONDS = 5.0
MAX_LIFETIME_SECONDS = 1800.0

# A peer that is gone without a word is noticed by the kernel. What the URL says wins.
COMMON: Final[dict[str, str | int | None]] = {
    "application_name": "colloquy-checkpoints",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
STATEMENT_TIMEOUT = "SET statement_timeout = '20s'"

Connections = AsyncConnectionPool[AsyncConnection[DictRow]]

log = structlog.get_logger(__name__)


class CheckpointPool:
    """Executes single statements, each a transaction of its own."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    async def first_row(
        self, statement: LiteralString, values: Mapping[str, object]
    ) -> DictRow | None:
        """Execute a statement and return its first row.

        It is executed again after a lost connection, so twice must be as good as once. Raises
        `StorageUnavailable`.
        """
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + PATIENCE_SECONDS
        while True:
            try:
                return await self._execute(statement, values)
            except (OperationalError, InterfaceError) as error:
                if clock() >= give_up_at:
                    raise StorageUnavailable("The database could not be used.") from error
                log.warning("checkpoints.tried_again", reason=type(error).__name__)
            except Error as error:
                raise StorageUnavailable("The database could not be used.") from error
            # A connection is not asked whether it lives before each use, which would be one
            # more trip: all are asked when one of them did not.
            await self.connections.check()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _execute(
        self, statement: LiteralString, values: Mapping[str, object]
    ) -> DictRow | None:
        async with self.connections.connection() as connection:
            cursor = await connection.execute(statement, values, binary=True)
            return await cursor.fetchone()


@asynccontextmanager
async def opened_pool(url: str, size: int) -> AsyncIterator[CheckpointPool]:
    """Give the pool, which connects as it is used and is closed at the end."""
    connections: Connections = AsyncConnectionPool(
        connection_string(url),
        kwargs={"autocommit": True, "row_factory": dict_row},
        configure=_prepare,
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT_SECONDS,
        max_lifetime=MAX_LIFETIME_SECONDS,
        name="checkpoints",
    )
    async with connections:
        yield CheckpointPool(connections)


def connection_string(url: str) -> str:
    """Return what libpq understands; `url` may name SQLAlchemy's driver."""
    scheme, separator, rest = url.partition("://")
    parts = COMMON | conninfo_to_dict(scheme.partition("+")[0] + separator + rest)
    return make_conninfo("", **parts)


async def _prepare(connection: AsyncConnection[DictRow]) -> None:
    await connection.execute(STATEMENT_TIMEOUT)
