"""What is promised of what people and tenants have used, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.tools.spending import SqlSpending
from core.budgets import NOTHING, Spent
from core.clock import SystemClock
from core.ids import PrincipalId
from core.ports.run_store import Ending
from core.principal import LOCAL, Principal
from core.runs import RunStatus
from tests.support.attempts import LEASE_SECONDS, LIMITS, NODE, SqlAttempts
from tests.support.sql import STRANGER, run_request

SPENT = Spent(tool_calls=2, model_calls=3, tokens=2**40, money=0.25, seconds=1.5)
COLLEAGUE = Principal(PrincipalId("colleague"), LOCAL.tenant_id)


@pytest.fixture
def attempts(database: Database) -> SqlAttempts:
    return SqlAttempts(database)


@pytest.fixture
def spending(database: Database) -> SqlSpending:
    return SqlSpending(database, SystemClock())


async def spend(attempts: SqlAttempts, name: str, principal: Principal, spent: Spent) -> None:
    request = run_request(f"r-{name}", f"c-{name}", principal=principal)
    await attempts.end(await attempts.admit(request), Ending(RunStatus.DONE, spent=spent))


async def test_nothing_is_used_before_the_first_run(spending: SqlSpending) -> None:
    assert await spending.today(LOCAL) == (NOTHING, NOTHING)


async def test_what_runs_have_used_adds_up_for_the_person_and_the_tenant(
    attempts: SqlAttempts, spending: SqlSpending
) -> None:
    await spend(attempts, "1", LOCAL, SPENT)
    await spend(attempts, "2", LOCAL, SPENT)
    await spend(attempts, "3", COLLEAGUE, Spent(tool_calls=1))
    await spend(attempts, "4", STRANGER, Spent(model_calls=7))

    assert await spending.today(LOCAL) == (SPENT + SPENT, SPENT + SPENT + Spent(tool_calls=1))
    assert (await spending.today(COLLEAGUE)).user == Spent(tool_calls=1)
    assert await spending.today(STRANGER) == (Spent(model_calls=7), Spent(model_calls=7))


async def test_a_run_that_ends_twice_is_counted_once(
    attempts: SqlAttempts, spending: SqlSpending
) -> None:
    run = await attempts.begin("r1")
    ending = Ending(RunStatus.DONE, spent=SPENT)

    await attempts.runs.finish(run, ending, is_told=False)
    await attempts.runs.finish(run, ending, is_told=False)

    assert (await spending.today(LOCAL)).user == SPENT


async def test_runs_that_end_at_the_same_time_are_all_counted(
    attempts: SqlAttempts, spending: SqlSpending
) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(spend(attempts, f"{number}", LOCAL, Spent(tool_calls=1)))

    assert (await spending.today(LOCAL)).user == Spent(tool_calls=20)


async def test_what_was_used_on_another_day_counts_no_more(database: Database) -> None:
    if database.engine.dialect.name == "postgresql":
        pytest.skip("the day is the server's, which has one clock")
    yesterday = StoppedClock(datetime(2026, 1, 1, 23, 59, tzinfo=UTC))
    runs = SqlRunStore(database, yesterday, NODE, LEASE_SECONDS)
    run = (await runs.admit(run_request("r1"), LIMITS, may_start=True)).run
    await runs.finish(run, Ending(RunStatus.DONE, spent=SPENT), is_told=True)

    assert (await SqlSpending(database, yesterday).today(LOCAL)).user == SPENT
    yesterday.moment += timedelta(minutes=2)
    assert await SqlSpending(database, yesterday).today(LOCAL) == (NOTHING, NOTHING)


class StoppedClock:
    """See `Clock`. It is `moment` until somebody says otherwise."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """See `Clock`."""
        return self.moment
