"""Opens the database that the settings name: the truth of every run."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from app.bootstrap.data_dir import sole_user
from app.graph.checkpoints import OpenCheckpoints, postgres_checkpoints, sqlite_checkpoints
from app.infra.sql.eager_sqlite import connect
from app.infra.sql.engine import Database
from app.infra.sql.leases import NoLeases, PostgresLeases
from app.infra.sql.neighbours import NoNeighbours, PostgresNeighbours
from app.infra.sql.postgres_sole_process import sole_process
from app.infra.sql.postgres_start import open_postgres
from app.infra.sql.run_census import SqlRunCensus
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.schema import migrate
from core.clock import SystemClock
from core.ports.neighbours import Neighbours
from core.ports.run_store import Leases
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Storage:
    """The open database, and what differs between the two engines.

    background: what runs as long as the house is open.
    """

    database: Database
    runs: SqlRunStore
    census: SqlRunCensus
    checkpoints: OpenCheckpoints
    leases: Leases
    neighbours: Neighbours
    background: Sequence[Callable[[], Coroutine[object, object, None]]] = ()


async def open_storage(settings: Settings, node: str, stack: AsyncExitStack) -> Storage:
    """Return the database with all its tables; `stack` closes it.

    Raises `SettingsError` where it can't be had, or is another process's alone.
    """
    if settings.database_url.get_secret_value():
        return await _open_postgres(settings, node, stack)
    stack.enter_context(sole_user(settings.data_dir))
    database = Database.sqlite(settings.database_path)
    stack.push_async_callback(database.close)
    await migrate(database)
    checkpoints = partial(sqlite_checkpoints, settings.checkpoint_path, connect)
    return _storage(settings, node, database, checkpoints, NoLeases(), NoNeighbours())


async def _open_postgres(settings: Settings, node: str, stack: AsyncExitStack) -> Storage:
    url = settings.database_url.get_secret_value()
    database = await open_postgres(url, settings.database_pool)
    stack.push_async_callback(database.close)
    # Without a shared log two processes would each tell half of a conversation.
    hold = await stack.enter_async_context(sole_process(url, shared=settings.shares_log))
    await migrate(database)
    checkpoints = partial(postgres_checkpoints, url, max(2, settings.database_pool // 2))
    beat_seconds = settings.lease_beat_seconds
    neighbours = PostgresNeighbours(node, beat_seconds)
    leases = PostgresLeases(url, node, settings.lease_seconds, beat_seconds, neighbours.meet)
    return _storage(settings, node, database, checkpoints, leases, neighbours, hold)


def _storage(
    settings: Settings,
    node: str,
    database: Database,
    checkpoints: OpenCheckpoints,
    leases: Leases,
    neighbours: Neighbours,
    *background: Callable[[], Coroutine[object, object, None]],
) -> Storage:
    clock = SystemClock()
    runs = SqlRunStore(database, clock, node, settings.lease_seconds)
    census = SqlRunCensus(database, clock)
    return Storage(database, runs, census, checkpoints, leases, neighbours, background)
