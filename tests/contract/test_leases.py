"""What keeping leases promises, on a real Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from signal import SIGQUIT

import psycopg
import pytest

from app.infra.sql import leases as leases_module
from app.infra.sql.engine import Database
from app.infra.sql.leases import NoLeases, PostgresLeases
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.ids import RunId
from core.ports.run_store import AdmissionLimits, Held, Leases
from core.principal import LOCAL
from core.runs import Run
from tests.support.postgres_server import PostgresServer, postgres_server
from tests.support.sql import migrated_postgres, run_request

LEASE_SECONDS = 1.0
BEAT_SECONDS = 0.1
LIMITS = AdmissionLimits(10, 10)
PATIENCE_SECONDS = 20


@dataclass
class Node:
    """A node that has runs and hears of their leases."""

    runs: SqlRunStore
    at_work: set[RunId] = field(default_factory=set)
    heard: list[tuple[float, Mapping[RunId, Held]]] = field(default_factory=list)
    beat: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, asked_at: float, held: Mapping[RunId, Held]) -> None:
        """Note what is said."""
        self.heard.append((asked_at, held))
        self.beat.set()

    async def begin(self, run_id: str) -> Run:
        """Take a run."""
        run = (await self.runs.admit(run_request(run_id, run_id), LIMITS, may_start=True)).run
        self.at_work.add(run.id)
        return run

    async def hears(
        self, condition: Callable[[Mapping[RunId, Held]], bool], after: float = 0.0
    ) -> None:
        """Wait until that is said of a time after this one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (self.heard and self.heard[-1][0] > after and condition(self.heard[-1][1])):
                self.beat.clear()
                await self.beat.wait()


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[SqlRunStore]:
    database = Database.postgres(postgres_url)
    yield SqlRunStore(database, SystemClock(), "other", 60)
    await database.close()


@asynccontextmanager
async def node_at(url: str) -> AsyncIterator[Node]:
    """Give a node whose leases are kept."""
    database = Database.postgres(url)
    node = Node(SqlRunStore(database, SystemClock(), "node", LEASE_SECONDS))
    leases = PostgresLeases(url, "node", LEASE_SECONDS, BEAT_SECONDS)
    async with keeping(leases, node):
        yield node
    await database.close()


@asynccontextmanager
async def keeping(leases: Leases, node: Node) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(leases.keep(lambda: node.at_work, node.hear))
        yield
        task.cancel()


@pytest.fixture
async def node(postgres_url: str) -> AsyncIterator[Node]:
    async with node_at(postgres_url) as node:
        yield node


async def claimed(runs: SqlRunStore) -> Run:
    """Wait until a run can be taken."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if (run := await runs.claim()) is not None:
                return run
            await asyncio.sleep(0.01)


def block(seconds: float) -> None:
    """Keep the loop from everything else, as a tool of a bad author does."""
    time.sleep(seconds)


def block_until_another_took_a_run(url: str) -> None:
    """Keep the loop from everything else until another node has a run, in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _taken_by_another(url)).result()


async def _taken_by_another(url: str) -> None:
    database = Database.postgres(url)
    await claimed(SqlRunStore(database, SystemClock(), "other", 60))
    await database.close()


async def test_a_lease_is_kept_while_the_loop_is_busy(node: Node, other: SqlRunStore) -> None:
    run = await node.begin("r1")
    await node.hears(lambda held: run.id in held)

    block(5.5 * LEASE_SECONDS)

    assert await other.claim() is None
    await node.hears(lambda held: held.get(run.id) == Held(run.fence, False))


async def test_a_busy_loop_never_hears_that_its_runs_are_lost(node: Node) -> None:
    run = await node.begin("r1")
    await node.hears(lambda held: run.id in held)
    node.heard.clear()

    block(3 * LEASE_SECONDS)
    await node.hears(bool, after=asyncio.get_running_loop().time())

    assert all(run.id in held for _, held in node.heard)


async def test_a_run_that_is_not_at_work_is_anybodys_when_its_lease_ran_out(
    node: Node, other: SqlRunStore
) -> None:
    run = await node.begin("r1")
    node.at_work.clear()

    again = await claimed(other)

    assert (again.id, again.attempt) == (run.id, 2)


async def test_a_run_that_another_node_took_is_not_held(node: Node, other: SqlRunStore) -> None:
    run = await node.begin("r1")
    begun_at = asyncio.get_running_loop().time()
    await node.hears(lambda held: run.id in held)

    await node.runs.release(run)
    await claimed(other)

    await node.hears(lambda held: run.id not in held, after=begun_at)


async def test_a_cancel_is_heard_with_the_lease(node: Node, other: SqlRunStore) -> None:
    run = await node.begin("r1")

    await other.request_cancel(LOCAL, run.id)

    await node.hears(lambda held: held.get(run.id) == Held(run.fence, True))


async def test_a_connection_that_breaks_costs_no_run(node: Node, postgres_url: str) -> None:
    run = await node.begin("r1")
    await node.hears(lambda held: run.id in held)
    node.heard.clear()

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE '%UPDATE runs SET lease_until%'"
            " AND pid != pg_backend_pid()"
        )
    await node.hears(lambda held: run.id in held)

    assert all(run.id in held for _, held in node.heard)


async def test_a_loop_that_stands_still_for_too_long_loses_its_runs(
    node: Node, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases_module, "LOOP_SECONDS", 0.5)
    run = await node.begin("r1")
    begun_at = asyncio.get_running_loop().time()
    await node.hears(lambda held: run.id in held)

    # What nobody takes is had again as soon as the loop runs.
    block_until_another_took_a_run(postgres_url)

    await node.hears(lambda held: run.id not in held, after=begun_at)


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with postgres_server() as server:
        yield server


async def test_where_the_database_is_gone_nothing_is_left_until_it_is_back(
    own_server: PostgresServer,
) -> None:
    async with migrated_postgres(own_server) as url, node_at(url) as node:
        await node.begin("r1")
        await node.hears(bool)
        begun_at = asyncio.get_running_loop().time()

        own_server.stop(SIGQUIT)
        await node.hears(lambda held: held == {}, after=begun_at)

        own_server.start()
        run = await node.begin("r2")
        await node.hears(lambda held: run.id in held)


async def test_a_database_of_one_process_has_nothing_to_keep() -> None:
    heard: list[object] = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await NoLeases().keep(lambda: (), lambda asked_at, held: heard.append(held))
    assert heard == []
