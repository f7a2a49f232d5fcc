"""What a run finds when it goes on from its checkpoints, in SQLite and in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from app.agents.turn import AskState, DecisionState, ToolCall, TurnFacts, TurnState
from app.graph.checkpoints import postgres_checkpoints, sqlite_checkpoints
from app.graph.step_border import StepBorder
from app.graph.turn_graph import StoppedAtBorder
from app.infra.sql.eager_sqlite import connect
from core.ids import RunId
from tests.support.checkpoint_database import checkpoint_database
from tests.support.graph_runs import (
    RUN,
    GraphRuns,
    endless,
    finding,
    found,
    graph_runs,
    join,
    planning,
)
from tests.support.recording_sink import RecordingSink

Open = Callable[..., AbstractAsyncContextManager[GraphRuns]]
OTHER_RUN = RunId("run-2")


@pytest.fixture(params=["sqlite", "postgres"])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a node's graph with the agents it is given; a second one sees the same checkpoints."""
    if request.param == "sqlite":
        opened = partial(sqlite_checkpoints, tmp_path / "checkpoints.sqlite", connect)
        yield lambda **acts: graph_runs(opened(), **acts)
        return
    with checkpoint_database(request.getfixturevalue("postgres")) as database:
        await database.add_run(RUN)
        await database.add_run(OTHER_RUN)
        yield lambda **acts: graph_runs(postgres_checkpoints(database.url, 4), **acts)


async def test_a_run_ends_with_the_writers_answer(node: Open) -> None:
    async with node(looks=finding("this"), reads=finding("that")) as runs:
        answer = await runs.run()

        assert answer.text == "that this"
        assert runs.calls() == {"coordinator": 1, "writer": 1, "looks": 1, "reads": 1}


async def test_a_run_that_has_its_answer_asks_nobody_again(node: Open) -> None:
    async with node(looks=finding("this")) as runs:
        await runs.run()
    async with node(looks=finding("else")) as runs:
        answer = await runs.run()

        assert answer.text == "this"
        assert set(runs.calls().values()) == {0}


async def test_a_finished_agent_is_not_asked_again_when_its_neighbour_died(node: Open) -> None:
    async with node(looks=finding("this"), reads=endless) as runs, asyncio.TaskGroup() as group:
        attempt = group.create_task(runs.run())
        await runs.until_result_kept()
        attempt.cancel()
    async with node(looks=finding("else"), reads=finding("that")) as runs:
        answer = await runs.run()

        assert answer.text == "that this"
        assert runs.calls() == {"coordinator": 0, "writer": 1, "looks": 0, "reads": 1}


async def test_tool_results_on_record_are_used_and_told_again(node: Open) -> None:
    writing = asyncio.Event()

    async def die(facts: TurnFacts, state: TurnState) -> TurnState:
        writing.set()
        return await endless(facts, state)

    async with node(looks=finding("this"), writer=die) as runs, asyncio.TaskGroup() as group:
        attempt = group.create_task(runs.run())
        await writing.wait()
        attempt.cancel()
    sink = RecordingSink()
    async with node(looks=finding("else")) as runs:
        answer = await runs.run(sink=sink)

        assert answer.text == "this"
        assert runs.calls() == {"coordinator": 0, "writer": 1, "looks": 0}
    assert sink.said == ["call this", "answer this", "step writer", "done writer"]


async def test_an_agent_that_failed_is_asked_again(node: Open) -> None:
    async def fail(facts: TurnFacts, state: TurnState) -> TurnState:
        raise ZeroDivisionError

    async with node(looks=fail) as runs:
        with pytest.raises(ZeroDivisionError):
            await runs.run()
    async with node(looks=finding("this")) as runs:
        assert (await runs.run()).text == "this"
        assert runs.calls() == {"coordinator": 0, "writer": 1, "looks": 1}


async def test_a_run_that_is_asked_to_stops_where_the_next_step_would_begin(node: Open) -> None:
    border = StepBorder()

    async def look(facts: TurnFacts, state: TurnState) -> TurnState:
        border.ask()
        return found("this")

    async with node(looks=look) as runs:
        with pytest.raises(StoppedAtBorder):
            await runs.run(border=border)
        assert runs.calls() == {"coordinator": 1, "writer": 0, "looks": 1}
    async with node(looks=look) as runs:
        assert (await runs.run()).text == "this"
        assert runs.calls() == {"coordinator": 0, "writer": 1, "looks": 0}


async def test_a_run_that_is_asked_before_it_begins_asks_nobody(node: Open) -> None:
    border = StepBorder()
    border.ask()
    async with node() as runs:
        with pytest.raises(StoppedAtBorder):
            await runs.run(border=border)

        assert set(runs.calls().values()) == {0}
        assert (await runs.run()).text == ""


async def test_a_run_that_is_asked_in_its_last_step_ends_as_usual(node: Open) -> None:
    border = StepBorder()

    async def write(facts: TurnFacts, state: TurnState) -> TurnState:
        border.ask()
        return {
            "answer": {"message_id": facts.answer_id, "text": "x", "citations": [], "usage": []}
        }

    async with node(writer=write) as runs:
        assert (await runs.run(border=border)).text == "x"


async def test_a_run_never_sees_the_state_of_another(node: Open) -> None:
    async with node(looks=finding("this")) as runs:
        await runs.run()
    async with node(looks=finding("that")) as runs:
        assert (await runs.run(run_id=OTHER_RUN)).text == "that"


async def test_a_forgotten_run_begins_anew(node: Open) -> None:
    async with node(looks=finding("this")) as runs:
        await runs.run()
        await runs.run(run_id=OTHER_RUN)

        await runs.graph.forget([RUN, RunId("never-there")])

        assert await runs.kept() == {}
        assert await runs.kept(OTHER_RUN)
        await runs.graph.forget([])
        assert (await runs.run()).text == "this"
        assert runs.agents["looks"].calls == 3


def ask_state(call_id: str) -> AskState:
    return AskState(
        id=f"ask-{call_id}",
        kind="approval",
        call_id=call_id,
        tool="send",
        arguments="{}",
        arguments_hash="",
        effect="write",
        expires_at="2027-01-01T00:00:00+00:00",
    )


async def test_a_continued_run_begins_with_the_tools_in_the_state_its_first_run_left(
    node: Open,
) -> None:
    may_call = False

    async def plan(facts: TurnFacts, state: TurnState) -> TurnState:
        call = ToolCall(call_id="c1", tool="send", arguments="{}")
        return {"plan": ["looks", "tools"], "tool_calls": [call]}

    async def call(facts: TurnFacts, state: TurnState) -> TurnState:
        if may_call:
            return {**found("sent"), "tool_calls": [], "awaiting": []}
        return {"tool_calls": state["tool_calls"], "awaiting": [ask_state("c1")]}

    async with node(coordinator=plan, looks=finding("this"), tools=call) as runs:
        sink = RecordingSink()
        end = await runs.end(sink=sink)
        assert (end.answer, end.awaiting) == (None, ("ask-c1",))
        assert "c1" in sink.tool_calls
        # The same attempt again, as after a crash before the run's end was kept, does nothing.
        again = RecordingSink()
        assert (await runs.end(sink=again)).awaiting == ("ask-c1",)
        assert list(again.tool_calls) == ["this", "c1"]
        may_call = True
        end = await runs.end(run_id=OTHER_RUN, root_id=RUN)
        assert end.answer is not None
        assert end.answer.text == "sent this"
        assert runs.calls() == {"coordinator": 1, "looks": 1, "tools": 2, "writer": 1}


async def test_the_writers_decision_is_kept_before_its_calls_are_made(node: Open) -> None:
    crashes = True

    async def write(facts: TurnFacts, state: TurnState) -> TurnState:
        if state.get("decisions"):
            return await join(facts, state)
        calls = [ToolCall(call_id="c1", tool="look", arguments="{}")]
        decision = DecisionState(run_id=facts.run_id, text="Let me look.", calls=calls, usage=[])
        return {"decisions": [decision], "tool_calls": calls}

    async def call(facts: TurnFacts, state: TurnState) -> TurnState:
        if crashes:
            raise RuntimeError
        return {**found(state["tool_calls"][0]["call_id"]), "tool_calls": []}

    async with node(coordinator=planning(), writer=write, tools=call) as runs:
        with pytest.raises(RuntimeError):
            await runs.run()
        crashes = False
        sink = RecordingSink()
        assert (await runs.run(sink=sink)).text == "c1"
        assert runs.calls() == {"coordinator": 1, "tools": 2, "writer": 2}
        # What the attempt before had said beside its decision is said again.
        assert sink.message.said == "Let me look."


async def test_a_run_that_finds_its_answers_used_by_another_adds_nothing(node: Open) -> None:
    async with node(looks=finding("this")) as runs:
        await runs.run()
        end = await runs.end(run_id=OTHER_RUN, root_id=RUN)
        assert (end.answer, end.awaiting) == (None, ())
        assert runs.calls() == {"coordinator": 1, "looks": 1, "writer": 1}
