"""What all breakers must do, a node's own and the fleet's."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from core.ports.breakers import CircuitOpen, CircuitState, Uncounted
from tests.support.breaker_nodes import (
    FAILURES,
    NAME,
    OPEN_SECONDS,
    Outside,
    OutsideFault,
    all_are,
    breaker_node,
    fail,
    outcome,
    report,
    state,
)
from tests.support.redis_nodes import until
from tests.support.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def breakers(request: pytest.FixtureRequest) -> AsyncIterator[PyBreakers]:
    if request.param == "memory":
        yield PyBreakers(MemoryCircuits(), failures=FAILURES, open_seconds=OPEN_SECONDS)
        return
    server: RedisServer = request.getfixturevalue("redis")
    server.ask("FLUSHALL")
    async with breaker_node(server.url, "node-1") as breakers:
        yield breakers


async def test_a_call_returns_what_the_work_gives(breakers: PyBreakers) -> None:
    assert await breakers.call(NAME, Outside(is_up=True).work, seconds=10) == "fine"
    assert state(breakers) is CircuitState.CLOSED


async def test_a_call_raises_what_the_work_raises(breakers: PyBreakers) -> None:
    with pytest.raises(OutsideFault):
        await breakers.call(NAME, Outside().work, seconds=10)


async def test_an_open_breaker_lets_no_call_through(breakers: PyBreakers) -> None:
    await fail(breakers)
    outside = Outside(is_up=True)
    with pytest.raises(CircuitOpen) as caught:
        await breakers.call(NAME, outside.work, seconds=10)
    assert outside.reached == 0
    assert caught.value.name == NAME
    assert 0 < caught.value.retry_after_seconds <= OPEN_SECONDS


async def test_a_call_that_takes_too_long_counts(breakers: PyBreakers) -> None:
    outside = Outside()
    outside.open_gate.clear()
    outcomes = [await outcome(breakers, outside, 0.01) for _ in range(FAILURES + 1)]
    assert outcomes == [*["late"] * FAILURES, "refused"]


async def test_a_hundred_cancellations_keep_it_closed(breakers: PyBreakers) -> None:
    outside = Outside()
    outside.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(breakers, outside)) for _ in range(100)]
        await until(lambda: outside.reached == 100)
        for task in tasks:
            task.cancel()
    assert all(task.cancelled() for task in tasks)
    found = report(breakers)
    assert found is not None
    assert (found.state, found.failures) == (CircuitState.CLOSED, 0)


async def test_a_cancellation_that_the_work_renames_counts_as_nothing_too(
    breakers: PyBreakers,
) -> None:
    begun = asyncio.Event()

    async def rename() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OutsideFault from None

    async def call() -> None:
        with pytest.raises(OutsideFault):
            await breakers.call(NAME, rename, seconds=10)

    for _ in range(FAILURES):
        async with asyncio.TaskGroup() as group:
            begun.clear()
            task = group.create_task(call())
            await begun.wait()
            task.cancel()
    assert state(breakers) is CircuitState.CLOSED


async def test_what_a_working_outside_answers_counts_as_nothing(breakers: PyBreakers) -> None:
    async def refuse() -> None:
        raise Uncounted(KeyError("no such thing"))

    for _ in range(100):
        with pytest.raises(KeyError, match="no such thing"):
            await breakers.call(NAME, refuse, seconds=10)
    assert state(breakers) is CircuitState.CLOSED


async def test_one_of_a_hundred_calls_finds_out_whether_the_outside_is_back(
    breakers: PyBreakers,
) -> None:
    await fail(breakers)
    await all_are(CircuitState.HALF_OPEN, breakers)
    outside = Outside(is_up=True)
    outside.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(breakers, outside)) for _ in range(100)]
        await until(lambda: sum(task.done() for task in tasks) == 99)
        outside.open_gate.set()
    outcomes = [task.result() for task in tasks]
    assert (outside.reached, outcomes.count("fine"), outcomes.count("refused")) == (1, 1, 99)
    assert await outcome(breakers, outside) == "fine"
    assert state(breakers) is CircuitState.CLOSED


async def test_a_probe_that_fails_opens_it_again(breakers: PyBreakers) -> None:
    await fail(breakers)
    await all_are(CircuitState.HALF_OPEN, breakers)
    assert await outcome(breakers, Outside()) == "failed"
    assert await outcome(breakers, Outside(is_up=True)) == "refused"
    await all_are(CircuitState.HALF_OPEN, breakers)
    assert await outcome(breakers, Outside(is_up=True)) == "fine"


async def test_a_probe_that_is_cancelled_is_made_by_another_call(breakers: PyBreakers) -> None:
    await fail(breakers)
    await all_are(CircuitState.HALF_OPEN, breakers)
    outside = Outside(is_up=True)
    outside.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(outcome(breakers, outside))
        await until(lambda: outside.reached == 1)
        task.cancel()
    outside.open_gate.set()

    async def is_well() -> bool:
        return await outcome(breakers, outside) == "fine"

    await until(is_well)


async def test_an_answer_that_begins_lets_the_others_through(breakers: PyBreakers) -> None:
    await fail(breakers)
    await all_are(CircuitState.HALF_OPEN, breakers)
    outside = Outside(is_up=True)
    outside.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(outcome(breakers, outside))
        await until(lambda: outside.reached == 1)
        breakers.answered(NAME)
        assert await outcome(breakers, Outside(is_up=True)) == "fine"
        outside.open_gate.set()
    assert probe.result() == "fine"


async def test_an_operator_closes_it(breakers: PyBreakers) -> None:
    await fail(breakers)
    assert await breakers.reset(NAME)
    assert await outcome(breakers, Outside(is_up=True)) == "fine"
    assert state(breakers) is CircuitState.CLOSED


async def test_nobody_closes_what_nobody_has_heard_of(breakers: PyBreakers) -> None:
    assert not await breakers.reset("tool:unknown")
    assert report(breakers, "tool:unknown") is None


async def test_breakers_do_not_mind_each_other(breakers: PyBreakers) -> None:
    await fail(breakers, name="tool:b")
    await fail(breakers, 1, name="tool:a")
    assert await outcome(breakers, Outside(is_up=True)) == "fine"
    states = {each.name: each.state for each in breakers.reports()}
    assert list(states) == ["tool:a", "tool:b", NAME]
    assert states["tool:b"] is CircuitState.OPEN
    assert states["tool:a"] is CircuitState.CLOSED


async def test_there_are_only_so_many_and_the_troubled_ones_stay() -> None:
    breakers = PyBreakers(MemoryCircuits(), failures=FAILURES, open_seconds=10, names_max=3)
    await fail(breakers, name="tool:broken")
    for number in range(10):
        await breakers.call(f"tool:{number}", Outside(is_up=True).work, seconds=10)
    names = [each.name for each in breakers.reports()]
    assert names == ["tool:8", "tool:9", "tool:broken"]
    for number in range(3):
        await fail(breakers, name=f"tool:worse-{number}")
    assert len(breakers.reports()) == 3


async def test_it_counts_what_happened(breakers: PyBreakers) -> None:
    await fail(breakers)
    assert await outcome(breakers, Outside()) == "refused"
    await all_are(CircuitState.HALF_OPEN, breakers)
    assert await outcome(breakers, Outside(is_up=True)) == "fine"
    counts = breakers.counts()[NAME]
    assert (counts.opened, counts.refused, counts.probes) == (1, 1, 1)
