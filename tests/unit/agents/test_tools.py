"""The tools agent over a real executor: what the state and the wire get of each call."""

import asyncio
from dataclasses import replace

from app.agents.tools import Tools
from app.agents.turn import Allowance, DecisionState, ToolCall, TurnFacts
from app.tools.tool import ToolContext, ToolError, ToolUnavailable
from core.budgets import Budget
from core.ids import RunId
from core.tools import Decision, Effect
from tests.support.recording_sink import RecordingSink
from tests.support.tool_house import RUN, ToolHouse, Word, made, tool_house
from tests.unit.agents.fakes import facts as some_facts


def facts_in(house: ToolHouse, sink: RecordingSink | None = None) -> TurnFacts:
    """Return the facts of the house's present attempt."""
    run = house.present
    return replace(
        some_facts("?", sink),
        run_id=RunId(run.id),
        root_id=run.root_id,
        fence=run.fence,
    )


def call(name: str, number: int = 1, arguments: str = "{}") -> ToolCall:
    return ToolCall(call_id=f"c{number}", tool=name, arguments=arguments)


async def echo(arguments: Word, context: ToolContext) -> str:
    return arguments.word


async def refuse(arguments: Word, context: ToolContext) -> str:
    raise ToolError("That divides by zero.")


async def test_results_come_in_the_order_of_the_calls_and_are_told_as_they_come() -> None:
    both_in, second_done = asyncio.Barrier(2), asyncio.Event()

    async def first(arguments: Word, context: ToolContext) -> str:
        await both_in.wait()
        await second_done.wait()
        return "first"

    async def second(arguments: Word, context: ToolContext) -> str:
        await both_in.wait()
        second_done.set()
        return "second"

    house, sink = await tool_house(made("first", first), made("second", second)), RecordingSink()
    calls = [call("first", 1), call("second", 2)]
    state = await Tools(house.executor).act(facts_in(house, sink), {"tool_calls": calls})
    assert [result["text"] for result in state["tool_results"]] == ["first", "second"]
    assert sink.said == ["call c1", "call c2", "answer c2", "answer c1"]
    assert state["tool_calls"] == state["awaiting"] == []
    assert state["spent"][RUN]["tool_calls"] == 2


async def test_a_failure_is_an_answer_too_and_stops_none_of_the_others() -> None:
    house = await tool_house(made("refuse", refuse), made("echo", echo))
    calls = [call("refuse", 1), call("echo", 2, '{"word": "still here"}'), call("nobody", 3)]
    state = await Tools(house.executor).act(facts_in(house), {"tool_calls": calls})
    told = [(result["text"], result["error"]) for result in state["tool_results"]]
    assert told[0] == ("That divides by zero.", True)
    assert told[1] == ("still here", False)
    assert told[2][0].startswith("There is no tool “nobody”")


async def test_a_call_that_waits_for_the_person_stays_to_be_made() -> None:
    writes = made("send", echo, effect=Effect.WRITE, needs_approval=True)
    house, sink = await tool_house(writes, made("echo", echo)), RecordingSink()
    calls = [call("send", 1, '{"word": "a"}'), call("echo", 2)]
    state = await Tools(house.executor).act(facts_in(house, sink), {"tool_calls": calls})
    assert state["tool_calls"] == [calls[0]]
    (asked,) = state["awaiting"]
    assert (asked["call_id"], asked["tool"], asked["arguments"]) == ("c1", "send", '{"word": "a"}')
    assert (asked["kind"], asked["effect"]) == ("approval", "write")
    assert list(sink.tool_answers) == ["c2"]

    waiting = next(iter((await house.asks.of_run(house.present.root_id)).values()))[0]
    await house.go_on(waiting, Decision.EDITED, edited='{"word": "b"}')
    sink = RecordingSink()
    state = await Tools(house.executor).act(facts_in(house, sink), state)
    (result,) = state["tool_results"]
    assert result["text"].endswith("with other arguments than were asked for. b")
    assert state["awaiting"] == state["tool_calls"] == []
    assert sink.notices == [
        (
            "ask.decided",
            {
                "interruptId": waiting.id,
                "toolCallId": "c1",
                "decision": "edited",
                "arguments": '{"word": "b"}',
            },
        )
    ]


async def test_what_an_outside_tool_says_taints_the_turn() -> None:
    house = await tool_house(made("page", echo, is_outside=True), made("echo", echo))
    tools = Tools(house.executor)
    pure = await tools.act(facts_in(house), {"tool_calls": [call("echo")]})
    tainted = await tools.act(facts_in(house), {"tool_calls": [call("page", 2)]})
    assert (pure["is_tainted"], tainted["is_tainted"]) == (False, True)


async def test_in_a_tainted_turn_a_write_is_asked_about() -> None:
    house = await tool_house(made("keep", echo, effect=Effect.IDEMPOTENT_WRITE))
    tools, calls = Tools(house.executor), [call("keep")]
    free = await tools.act(facts_in(house), {"tool_calls": calls})
    asked = await tools.act(facts_in(house), {"tool_calls": [call("keep", 2)], "is_tainted": True})
    assert (len(free["awaiting"]), len(asked["awaiting"])) == (0, 1)


async def test_an_open_breaker_is_told_to_the_client() -> None:
    async def away(arguments: Word, context: ToolContext) -> str:
        raise ToolUnavailable("It is not there.")

    house, sink = await tool_house(made("away", away, circuit="tool:away")), RecordingSink()
    tools = Tools(house.executor)
    for number in range(10):
        await tools.act(facts_in(house), {"tool_calls": [call("away", number)]})
    state = await tools.act(facts_in(house, sink), {"tool_calls": [call("away", 99)]})
    assert state["tool_results"][0]["error"]
    ((name, value),) = sink.notices
    assert (name, value["name"], value["toolCallId"]) == ("breaker.open", "tool:away", "c99")


async def test_the_models_calls_are_the_writers_and_a_rules_are_the_coordinators() -> None:
    house = await tool_house(made("echo", echo, agents={"writer"}))
    tools, asked = Tools(house.executor), call("echo")
    by_rule = await tools.act(facts_in(house), {"tool_calls": [asked]})
    assert by_rule["tool_results"][0]["error"]
    model_call = call("echo", 2)
    decision = DecisionState(run_id=RUN, text="", calls=[model_call], usage=[])
    by_model = await tools.act(
        facts_in(house), {"tool_calls": [model_call], "decisions": [decision]}
    )
    assert not by_model["tool_results"][0]["error"]


async def test_the_budget_of_the_run_is_kept_within_a_step() -> None:
    house = await tool_house(made("echo", echo))
    facts = replace(facts_in(house), allowances=(Allowance("run", Budget(tool_calls=2)),))
    calls = [call("echo", number) for number in range(3)]
    state = await Tools(house.executor).act(facts, {"tool_calls": calls})
    assert [result["error"] for result in state["tool_results"]] == [False, False, True]
    assert state["spent"][RUN]["tool_calls"] == 2


async def test_no_calls_are_no_results() -> None:
    house = await tool_house()
    state = await Tools(house.executor).act(facts_in(house), {})
    assert (state["tool_results"], state["awaiting"]) == ([], [])
