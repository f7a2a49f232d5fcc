"""Keeps a Postgres database to one process, where processes have nothing else in common."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import psycopg
import structlog

from app.infra.sql.postgres_address import connection_string
from core.errors import SettingsError, StorageUnavailable

# A number that nobody else locks in this database.
LOCK = int.from_bytes(b"colloquy")
ALONE = f"SELECT pg_advisory_lock({LOCK})"
TOGETHER = f"SELECT pg_advisory_lock_shared({LOCK})"
# A process that was just stopped may still be on its way out.
PATIENCE_SECONDS = 3.0
CHECK_SECONDS = 5.0
# The server too shall notice soon that a process is gone with its whole machine.
SESSION = (
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)

log = structlog.get_logger(__name__)


@asynccontextmanager
async def sole_process(
    url: str, *, shared: bool, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[Callable[[], Coroutine[object, object, None]]]:
    """Hold the database until left; a crash lets it go too.

    shared: together with all others that say so; else alone, and refused while anybody is there.
    Gives what has to run meanwhile: a connection that broke is made anew, and it raises
    `SettingsError` where another process came first. Raises `SettingsError` where the database is
    refused, and `StorageUnavailable`.
    """
    keeper = _Keeper(url, patience_seconds, shared=shared)
    try:
        await _begun(keeper)
        yield keeper.keep
    finally:
        await keeper.close()


async def _begun(keeper: "_Keeper") -> None:
    try:
        await keeper.take()
    except psycopg.Error as error:
        raise StorageUnavailable("The database could not be used.") from error


class _Keeper:
    """A connection of its own whose session has the lock."""

    def __init__(self, url: str, patience_seconds: float, *, shared: bool) -> None:
        self._address = connection_string(url)
        self._patience_ms = int(patience_seconds * 1000)
        self._shared = shared
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None

    async def take(self) -> None:
        """Take the lock. Raises `SettingsError` where it stays another's, and `psycopg.Error`."""
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
        self._connection = connection
        for setting in (*SESSION, f"SET lock_timeout = {self._patience_ms}"):
            await connection.execute(setting)
        try:
            await connection.execute(TOGETHER if self._shared else ALONE)
        except psycopg.errors.LockNotAvailable:
            raise _refused(shared=self._shared) from None

    async def keep(self) -> None:
        """Take the lock again whenever the connection broke, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                if self._connection is None:
                    await self.take()
                else:
                    await self._connection.execute("SELECT 1")
            except psycopg.Error as error:
                log.warning("sole_process.connection_lost", error=type(error).__name__)
                await self.close()

    async def close(self) -> None:
        """Let the lock go."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _refused(*, shared: bool) -> SettingsError:
    if shared:
        return SettingsError(
            "WEBSOCKET_MANAGER_TYPE: a process with `memory` has this database for itself; "
            "stop it, or give it `redis` too."
        )
    return SettingsError(
        "WEBSOCKET_MANAGER_TYPE: `memory` serves one process, and another one uses this "
        "database; set `redis` and REDIS_URL for all of them."
    )
