"""Opens Postgres when a node starts, also where the two start together."""

import asyncio

import structlog

from app.infra.sql.engine import Database
from app.infra.sql.postgres_address import place_of
from core.errors import SettingsError, StorageUnavailable

PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.5

log = structlog.get_logger(__name__)


async def open_postgres(
    url: str, pool_size: int, patience_seconds: float = PATIENCE_SECONDS
) -> Database:
    """Return a database that has answered; the caller closes it.

    Raises `SettingsError` for an URL that is none, and where nothing answers for so long.
    """
    database = Database.postgres(url, pool_size)
    try:
        async with asyncio.timeout(patience_seconds):
            await _answered(database, place_of(url))
    except BaseException as error:
        await database.close()
        if isinstance(error, TimeoutError):
            raise _unreachable(url, patience_seconds) from None
        raise
    return database


async def _answered(database: Database, place: str) -> None:
    is_told = False
    while True:
        try:
            await database.ping()
            return
        except StorageUnavailable as error:
            if not is_told:
                reason = getattr(error.__cause__, "orig", error.__cause__)
                log.warning("postgres.waiting", place=place, reason=str(reason))
            is_told = True
        await asyncio.sleep(PAUSE_SECONDS)


def _unreachable(url: str, seconds: float) -> SettingsError:
    return SettingsError(
        f"DATABASE_URL: no Postgres let us in at {place_of(url)} for {seconds:.0f} s; "
        "the log says what it answered."
    )
