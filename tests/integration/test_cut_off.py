"""A node that alone has lost Redis: its runs go on elsewhere, and it comes back by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from app.agents.turn import TurnFacts, TurnState
from app.infra.redis.log import pulse as pulse_module
from app.infra.sql import neighbours as neighbours_module
from app.infra.sql.engine import Database
from app.infra.sql.schema import migrate
from app.turns import isolation as isolation_module
from core.ids import RunId
from core.principal import LOCAL
from core.runs import Run, RunStatus
from scripts.chaos.rig.proxy import Proxy, Weather
from tests.support.fleet_house import FleetNode, fleet_node
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer, redis_server
from tests.support.sql import run_request
from tests.support.turns_house import Act, greet, say

PATIENCE_SECONDS = 20
BLACK_HOLE = Weather("blackhole")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes find out sooner than they need to."""
    monkeypatch.setattr(pulse_module, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(pulse_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(pulse_module, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(pulse_module, "BREAK_SECONDS", 0.4)
    monkeypatch.setattr(neighbours_module, "LATER_SECONDS", 0.5)
    monkeypatch.setattr(neighbours_module, "STEADY_SECONDS", 1.0)
    monkeypatch.setattr(isolation_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(isolation_module, "SILENT_SECONDS", 0.8)
    monkeypatch.setattr(isolation_module, "BACK_SECONDS", 0.3)


class Fleet:
    """Nodes that share one Postgres and one Redis, each with a link of its own to Redis."""

    def __init__(self, postgres_url: str, redis: RedisServer, stack: AsyncExitStack) -> None:
        self.links: dict[str, Proxy] = {}
        self._redis = redis
        self._postgres_url = postgres_url
        self._stack = stack

    async def node(self, name: str, write: Act = greet) -> FleetNode:
        """Start a node that lives as long as the test."""
        link = self.links[name] = Proxy("127.0.0.1", self._redis.port)
        await link.start()
        self._stack.push_async_callback(link.stop)
        url = f"redis://127.0.0.1:{link.port}/0"
        return await self._stack.enter_async_context(
            fleet_node(name, self._postgres_url, url, write)
        )


@pytest.fixture
async def fleet(postgres: PostgresServer, redis: RedisServer) -> AsyncIterator[Fleet]:
    redis.ask("FLUSHALL")
    url = postgres.new_database()
    async with AsyncExitStack() as stack:
        database = Database.postgres(url)
        stack.push_async_callback(database.close)
        await migrate(database)
        yield Fleet(url, redis, stack)


class Speech:
    """A writer that says something and waits until it is let go; a later attempt just greets."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, facts: TurnFacts, state: TurnState) -> TurnState:
        if self.begun.is_set():
            return await greet(facts, state)
        facts.sink.open_message(facts.answer_id).text("So far")
        self.begun.set()
        await self.go.wait()
        return say(facts, "and on")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Nothing tells of it.
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_silent(node: FleetNode, seconds: float) -> bool:
    return node.pulse.sight().silent_seconds > seconds


@pytest.mark.parametrize(
    "weather",
    [BLACK_HOLE, Weather("reset"), Weather("throttle", bytes_per_second=2048)],
    ids=lambda weather: weather.mode,
)
async def test_the_runs_of_a_node_that_is_cut_off_go_on_elsewhere(
    fleet: Fleet, weather: Weather
) -> None:
    speech = Speech()
    first = await fleet.node("first", speech)
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    second = await fleet.node("second")
    listener = await second.listen()
    await listener.until("TEXT_MESSAGE_CONTENT")

    fleet.links["first"].set(weather)
    await listener.until("RUN_FINISHED")

    assert first.runner.is_aside
    assert listener.shown.messages == await second.stored()
    assert listener.sequences == list(range(1, len(listener.events) + 1))
    assert len(set(listener.epochs)) == 1
    run = await second.runs.get(LOCAL, RunId("r1"))
    assert (run.status, run.failures) == (RunStatus.DONE, 0)
    assert second.agents["writer"].calls == 1

    fleet.links["first"].set(Weather())
    await until(lambda: not first.runner.is_aside)
    assert not second.runner.is_aside


async def test_a_node_that_is_cut_off_takes_messages_for_the_others(fleet: Fleet) -> None:
    first, second = await fleet.node("first"), await fleet.node("second")
    fleet.links["first"].set(BLACK_HOLE)
    await until(lambda: first.runner.is_aside)

    await first.turns.submit(run_request("r1"))
    listener = await second.listen()
    await listener.until("RUN_FINISHED")

    assert (first.agents["writer"].calls, second.agents["writer"].calls) == (0, 1)


async def test_what_a_node_claims_while_it_steps_aside_is_for_the_others(fleet: Fleet) -> None:
    first = await fleet.node("first")
    claim, asked, go = first.runs.claim, asyncio.Event(), asyncio.Event()

    async def claim_late() -> Run | None:
        asked.set()
        await go.wait()
        return await claim()

    first.runs.claim = claim_late  # type: ignore[method-assign]
    await asked.wait()
    first.runner.step_aside()
    await first.turns.submit(run_request("r1"))
    go.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await first.runs.get(LOCAL, RunId("r1"))).handovers == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    second = await fleet.node("second")
    listener = await second.listen()
    await listener.until("RUN_FINISHED")

    assert (first.agents["writer"].calls, second.agents["writer"].calls) == (0, 1)
    assert (await second.runs.get(LOCAL, RunId("r1"))).failures == 0


async def test_a_node_that_is_back_answers_again(fleet: Fleet) -> None:
    speech = Speech()
    first, second = await fleet.node("first"), await fleet.node("second", speech)
    fleet.links["first"].set(BLACK_HOLE)
    await until(lambda: first.runner.is_aside)
    fleet.links["first"].set(Weather())
    await until(lambda: not first.runner.is_aside)

    await first.turns.submit(run_request("r1"))
    listener = await second.listen()
    await listener.until("RUN_FINISHED")

    assert first.agents["writer"].calls == 1


async def test_a_redis_that_is_away_for_all_moves_no_run(fleet: Fleet, redis: RedisServer) -> None:
    speech = Speech()
    first, second = await fleet.node("first", speech), await fleet.node("second")
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    listener = await second.listen()
    await listener.until("TEXT_MESSAGE_CONTENT")

    redis.kill()
    speech.go.set()
    await until(lambda: all(is_silent(node, 2.0) for node in (first, second)))
    assert not first.runner.is_aside
    assert not second.runner.is_aside
    redis.start()
    await listener.until("RUN_FINISHED")

    assert listener.shown.endings == ["success"]
    assert listener.sequences == list(range(1, len(listener.events) + 1))
    assert len(set(listener.epochs)) == 1
    run = await second.runs.get(LOCAL, RunId("r1"))
    assert (run.status, run.attempt) == (RunStatus.DONE, 1)
