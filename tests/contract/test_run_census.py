"""What operators are told about runs."""

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.run_census import SqlRunCensus
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.conversations import LogMark
from core.ports.run_store import AdmissionLimits, Ending
from core.principal import LOCAL
from core.runs import OnBusy, RunStatus
from tests.support.sql import STRANGER, run_request

LIMITS = AdmissionLimits(10, 10)


@pytest.fixture
def runs(database: Database) -> SqlRunStore:
    return SqlRunStore(database, SystemClock(), "node-1", 60)


@pytest.fixture
def census(database: Database) -> SqlRunCensus:
    return SqlRunCensus(database, SystemClock())


async def test_runs_are_counted_by_what_they_wait_for(
    runs: SqlRunStore, census: SqlRunCensus
) -> None:
    assert await census.counts() == {"queued": 0, "running": 0, "telling": 0}
    first = (await runs.admit(run_request("r1"), LIMITS, may_start=True)).run
    await runs.admit(run_request("r2", on_busy=OnBusy.QUEUE), LIMITS, may_start=True)
    await runs.admit(run_request("r3", "d", principal=STRANGER), LIMITS, may_start=True)
    assert await census.counts() == {"queued": 1, "running": 2, "telling": 0}

    await runs.finish(first, Ending(RunStatus.DONE), is_told=False)
    assert await census.counts() == {"queued": 1, "running": 1, "telling": 1}

    await runs.tell(first, LogMark("e", 1, 1))
    assert await census.counts() == {"queued": 1, "running": 1, "telling": 0}


async def test_a_run_that_waits_for_a_person_is_over_once_it_is_told(
    runs: SqlRunStore, census: SqlRunCensus
) -> None:
    run = (await runs.admit(run_request("r1"), LIMITS, may_start=True)).run

    await runs.finish(run, Ending(RunStatus.INTERRUPTED), is_told=False)
    assert await census.counts() == {"queued": 0, "running": 0, "telling": 1}
    assert [each.status for each in await census.live(LOCAL, 10)] == ["telling"]

    await runs.tell(run, LogMark("e", 1, 1))
    assert await census.counts() == {"queued": 0, "running": 0, "telling": 0}


async def test_a_tenant_sees_its_own_runs_the_oldest_first(
    database: Database, runs: SqlRunStore, census: SqlRunCensus
) -> None:
    first = (await runs.admit(run_request("r1"), LIMITS, may_start=True)).run
    await runs.admit(run_request("r2", on_busy=OnBusy.QUEUE), LIMITS, may_start=True)
    await runs.admit(run_request("r3", "d", principal=STRANGER), LIMITS, may_start=True)

    running, queued = await census.live(LOCAL, 10)

    assert (running.id, running.status, running.owner) == ("r1", "running", "node-1")
    assert (running.attempt, running.fence) == (1, first.fence)
    assert (queued.id, queued.status, queued.owner) == ("r2", "queued", "")
    assert queued.waited_seconds >= running.waited_seconds == 0
    assert queued.lease_seconds_left is None
    if database.engine.dialect.name == "postgresql":
        assert running.lease_seconds_left is not None
        assert 0 < running.lease_seconds_left <= 60
    else:
        assert running.lease_seconds_left is None
    assert [run.id for run in await census.live(LOCAL, 1)] == ["r1"]
    assert [run.id for run in await census.live(STRANGER, 10)] == ["r3"]
