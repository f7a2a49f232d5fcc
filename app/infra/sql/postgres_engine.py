"""Makes the pool of connections to Postgres."""

import select
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.infra.sql.postgres_address import connection_string

RECYCLE_SECONDS = 1_800
POOL_TIMEOUT_SECONDS = 10
# A transaction that its node has no time for keeps its locks from all others: a node that hangs
# must not hold the runs that others are to take over.
SESSION = (
    "SET idle_in_transaction_session_timeout = '3s';"
    " SET statement_timeout = '20s';"
    " SET lock_timeout = '10s'"
)
# Serialization failure, deadlock, and a unique index that says two did the same at once.
COLLISIONS = frozenset({"40001", "40P01", "23505"})


def postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    """Return an engine that opens at most `pool_size` connections. Raises `SettingsError`."""
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=partial(psycopg.AsyncConnection.connect, connection_string(url)),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        isolation_level="READ COMMITTED",
        use_native_hstore=False,
    )
    event.listen(engine.sync_engine, "connect", _prepare_session)
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    return engine


def is_collision(error: DBAPIError) -> bool:
    """Whether the transaction was undone because of another: done anew, it may succeed."""
    return getattr(error.orig, "sqlstate", None) in COLLISIONS


def _prepare_session(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(SESSION)
    cursor.close()
    connection.commit()


def _refuse_dead(_: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Have the pool replaced where the server has said good-bye to this connection.

    Asking it anything would cost a round trip with every use; looking whether there is something
    to read on an idle connection costs microseconds.
    """
    driver: Any = entry.driver_connection
    if driver.closed or _has_something_to_read(driver.fileno()):
        raise InvalidatePoolError("the server closed the connection")


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
