"""Runs on several nodes: one speaks, any other one listens, cancels, or goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from app.agents.turn import TurnFacts, TurnState
from app.infra.sql.engine import Database
from app.infra.sql.schema import migrate
from app.turns.stop import StopReason
from core.ids import RunId
from core.principal import LOCAL
from core.runs import OnBusy, RunStatus
from tests.support.fleet_house import FleetNode, fleet_node
from tests.support.official_client import replayed
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer, redis_server
from tests.support.sql import run_request
from tests.support.turns_house import Act, C, greet, say


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


class Fleet:
    """Nodes that share one Postgres and one Redis."""

    def __init__(self, postgres_url: str, redis: RedisServer, stack: AsyncExitStack) -> None:
        self.redis = redis
        self._postgres_url = postgres_url
        self._stack = stack

    async def node(self, name: str, write: Act = greet, **options: int) -> FleetNode:
        """Start a node that lives as long as the test."""
        return await self._stack.enter_async_context(self.mortal(name, write, **options))

    def mortal(self, name: str, write: Act, **options: int):  # type: ignore[no-untyped-def]
        """Return a node that dies when its context is left."""
        slots = options.get("slots", 8)
        return fleet_node(name, self._postgres_url, self.redis.url, write, slots=slots)


@pytest.fixture
async def fleet(postgres: PostgresServer, redis: RedisServer) -> AsyncIterator[Fleet]:
    # A database of its own: the checkpoints of a run with the same id would be gone on with.
    url = postgres.new_database()
    async with AsyncExitStack() as stack:
        database = Database.postgres(url)
        stack.push_async_callback(database.close)
        await migrate(database)
        yield Fleet(url, redis, stack)


class Speech:
    """A writer that says something, then waits until it is let go; a later attempt just greets."""

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


async def test_an_answer_is_heard_on_every_node(fleet: Fleet) -> None:
    first, second = await fleet.node("first"), await fleet.node("second")
    await first.turns.submit(run_request("r1"))

    heard = [await node.listen() for node in (first, second)]
    for listener in heard:
        await listener.until("RUN_FINISHED")

    assert heard[0].events == heard[1].events
    assert heard[0].sequences == list(range(1, len(heard[0].events) + 1))
    assert heard[0].shown.messages == await second.stored()


async def test_the_same_run_sent_to_two_nodes_at_once_runs_once(fleet: Fleet) -> None:
    nodes = [await fleet.node("first"), await fleet.node("second")]

    admissions = await asyncio.gather(
        *(node.turns.submit(run_request("r1")) for node in nodes for _ in range(5))
    )

    assert sum(not admission.duplicate for admission in admissions) == 1
    listener = await nodes[0].listen()
    await listener.until("RUN_FINISHED")
    assert sum(node.agents["writer"].calls for node in nodes) == 1


async def test_a_run_whose_node_dies_is_told_once_and_whole(fleet: Fleet) -> None:
    second = await fleet.node("second")
    speech = Speech()
    async with fleet.mortal("first", speech) as first:
        await first.turns.submit(run_request("r1"))
        await speech.begun.wait()
        listener = await second.listen()
        await listener.until("TEXT_MESSAGE_CONTENT")

    await listener.until("RUN_FINISHED")

    assert listener.shown.messages == await second.stored()
    assert listener.shown.messages[-1][2] == "Hello, you said 'How long do refunds take?'."
    assert listener.shown.endings == ["success"]
    [resumed] = listener.shown.resumed
    assert resumed["attempt"] == 2
    assert listener.sequences == list(range(1, len(listener.events) + 1))
    assert len(set(listener.epochs)) == 1


async def test_the_official_client_accepts_the_order_of_a_takeover(fleet: Fleet) -> None:
    async def think_and_call(facts: TurnFacts, state: TurnState) -> TurnState:
        facts.sink.tool_called("call", "calculate", "{}")
        message = facts.sink.open_message(facts.answer_id)
        message.reasoning("Let me see")
        begun.set()
        await asyncio.Event().wait()
        return {}

    begun = asyncio.Event()
    second = await fleet.node("second")
    async with fleet.mortal("first", think_and_call) as first:
        await first.turns.submit(run_request("r1"))
        await begun.wait()
        listener = await second.listen()
        await listener.until("REASONING_MESSAGE_CONTENT")
    await listener.until("RUN_FINISHED")

    held = await replayed(listener.events)

    assert held["fault"] is None
    told = [(one["id"], one["role"], one["content"]) for one in held["messages"]]
    assert [one for one in told if one[1] in ("user", "assistant")] == await second.stored()


async def test_an_end_that_was_kept_and_not_told_is_told_by_another_node(fleet: Fleet) -> None:
    second = await fleet.node("second")
    async with fleet.mortal("first", greet) as first:
        held = asyncio.Event()

        async def never(*_: object) -> bool:
            held.set()
            await asyncio.Event().wait()
            return False

        first.log.flushed = never
        await first.turns.submit(run_request("r1"))
        await held.wait()

    listener = await second.listen()
    await listener.until("RUN_FINISHED")

    assert listener.shown.messages == await second.stored()
    assert listener.shown.endings == ["success"]
    assert second.agents["writer"].calls == 0


async def test_a_drained_node_gives_its_run_away(fleet: Fleet) -> None:
    speech = Speech()
    first = await fleet.node("first", speech)
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    second = await fleet.node("second")
    listener = await second.listen()

    await first.runner.drain(0.1, hand_over=True)
    await listener.until("RUN_FINISHED")

    assert listener.shown.messages == await second.stored()
    run = await second.runs.get(LOCAL, RunId("r1"))
    assert (run.status, run.attempt, run.failures) == (RunStatus.DONE, 2, 0)


async def test_a_run_is_cancelled_from_another_node(fleet: Fleet) -> None:
    speech = Speech()
    first, second = await fleet.node("first", speech), await fleet.node("second")
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()

    listener = await second.listen()
    await second.turns.cancel(LOCAL, RunId("r1"))
    await listener.until("RUN_FINISHED")

    assert listener.shown.endings == ["cancelled"]
    assert listener.shown.messages == await second.stored()
    assert listener.shown.messages[-1][2] == "So far"


async def test_a_cancel_whose_wake_up_is_lost_is_seen_with_the_next_beat(fleet: Fleet) -> None:
    speech = Speech()
    first = await fleet.node("first", speech)
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()

    await first.runs.request_cancel(LOCAL, RunId("r1"))
    listener = await first.listen()
    await listener.until("RUN_FINISHED")

    assert listener.shown.endings == ["cancelled"]


async def test_what_waits_for_a_full_node_is_taken_by_another(fleet: Fleet) -> None:
    speech = Speech()
    first = await fleet.node("first", speech, slots=1)
    await first.turns.submit(run_request("r1", "busy"))
    await speech.begun.wait()

    await first.turns.submit(run_request("r2"))
    second = await fleet.node("second")
    listener = await first.listen()
    await listener.until("RUN_FINISHED")

    assert second.agents["writer"].calls == 1


async def test_a_message_right_after_an_end_is_not_refused(fleet: Fleet) -> None:
    node = await fleet.node("first")
    for number in range(5):
        await node.turns.submit(run_request(f"r{number}", on_busy=OnBusy.REJECT))
        listener = await node.listen()
        async with asyncio.timeout(20):
            while len(listener.shown.endings) <= number:
                await listener.more()

    assert listener.shown.messages == await node.stored()


async def test_a_node_that_lost_its_run_says_and_writes_nothing_more(fleet: Fleet) -> None:
    speech = Speech()
    first = await fleet.node("first", speech)
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    [work] = first.runner._active.values()
    second = await fleet.node("second")
    # As if the node had been frozen: it does not see that its lease ran out.
    await first.runs.release(work.run)
    listener = await second.listen()
    await listener.until("RUN_FINISHED")
    before = list(listener.events)

    speech.go.set()
    async with asyncio.timeout(20):
        await first.runner._idle.wait()

    assert work.stop.reason in (None, StopReason.LOST)
    assert listener.shown.messages == await second.stored()
    late = await second.listen()
    await late.until("RUN_FINISHED")
    assert late.events == before


@pytest.mark.parametrize("loss", ["FLUSHALL", "restart"])
async def test_a_log_that_redis_loses_is_told_again_with_the_same_numbers(
    fleet: Fleet, loss: str
) -> None:
    speech = Speech()
    first, second = await fleet.node("first", speech), await fleet.node("second")
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    listener = await second.listen()
    await listener.until("TEXT_MESSAGE_CONTENT")

    if loss == "restart":
        fleet.redis.kill()
        fleet.redis.start()
    else:
        fleet.redis.ask("FLUSHALL")
    speech.go.set()
    await listener.until("RUN_FINISHED")

    assert listener.sequences == list(range(1, len(listener.events) + 1))
    assert len(set(listener.epochs)) == 1
    late = await second.listen()
    await late.until("RUN_FINISHED")
    assert late.shown.messages == listener.shown.messages
    assert (await second.runs.get(LOCAL, RunId("r1"))).conversation_id == C


async def test_a_cancelled_run_whose_log_is_away_is_told_when_it_is_back(fleet: Fleet) -> None:
    speech = Speech()
    first = await fleet.node("first", speech)
    await first.turns.submit(run_request("r1"))
    await speech.begun.wait()
    listener = await first.listen()
    await listener.until("TEXT_MESSAGE_CONTENT")

    fleet.redis.kill()
    await first.turns.cancel(LOCAL, RunId("r1"))
    async with asyncio.timeout(20):
        while (await first.runs.get(LOCAL, RunId("r1"))).status is RunStatus.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    fleet.redis.start()
    await listener.until("RUN_FINISHED")

    assert listener.shown.endings == ["cancelled"]
    assert len(set(listener.epochs)) == 1
    assert (await first.runs.get(LOCAL, RunId("r1"))).attempt == 1


async def test_a_node_that_drains_still_takes_messages_for_the_others(fleet: Fleet) -> None:
    first, second = await fleet.node("first"), await fleet.node("second")
    await first.runner.drain(0, hand_over=True)

    await first.turns.submit(run_request("r1"))
    listener = await second.listen()
    await listener.until("RUN_FINISHED")

    assert second.agents["writer"].calls == 1
