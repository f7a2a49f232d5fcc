import asyncio

import pytest

from app.agents.tools import Tools
from app.agents.turn import ToolCall
from app.tools.tool import Tool, ToolArguments, ToolError, ToolFunction, tool
from tests.support.recording_sink import RecordingSink
from tests.unit.agents.fakes import facts


class Words(ToolArguments):
    """One word."""

    word: str = "x"


def named(name: str, function: ToolFunction[Words], deadline_seconds: float = 5.0) -> Tool:
    return tool(name, "For tests.", Words, deadline_seconds)(function)


def call(name: str, number: int = 1, arguments: str = "{}") -> ToolCall:
    return ToolCall(call_id=f"c{number}", tool=name, arguments=arguments)


async def echo(arguments: Words) -> str:
    return arguments.word


async def hang(arguments: Words) -> str:
    await asyncio.Event().wait()
    return "never"


async def crash(arguments: Words) -> str:
    raise RuntimeError("secret detail")


async def refuse(arguments: Words) -> str:
    raise ToolError("That divides by zero.")


ALL = {
    name: named(name, function, deadline)
    for name, function, deadline in (
        ("echo", echo, 5.0),
        ("hang", hang, 0.001),
        ("crash", crash, 5.0),
        ("refuse", refuse, 5.0),
    )
}


async def test_results_come_in_the_order_of_the_calls_and_run_side_by_side() -> None:
    both_in = asyncio.Barrier(2)
    second_done = asyncio.Event()

    async def first(arguments: Words) -> str:
        await both_in.wait()
        await second_done.wait()
        return "first"

    async def second(arguments: Words) -> str:
        await both_in.wait()
        second_done.set()
        return "second"

    sink = RecordingSink()
    tools = Tools({"first": named("first", first), "second": named("second", second)})
    calls = [call("first", 1), call("second", 2)]
    state = await tools.act(facts("?", sink), {"tool_calls": calls})
    assert [result["text"] for result in state["tool_results"]] == ["first", "second"]
    assert sink.said == ["call c1", "call c2", "answer c2", "answer c1"]


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("refuse", "{}", "That divides by zero."),
        ("hang", "{}", "hang gave no answer within 0.001 seconds."),
        ("nobody", "{}", "There is no tool “nobody”, only: echo, hang, crash, refuse."),
        ("echo", '{"words": 1}', "words: Extra inputs are not permitted"),
        ("echo", "no json", "Invalid JSON"),
        ("crash", "{}", "crash failed through a fault of this server."),
    ],
)
async def test_a_failure_is_an_answer_that_says_why(name: str, arguments: str, text: str) -> None:
    sink = RecordingSink()
    calls = [call(name, 1, arguments), call("echo", 2, '{"word": "still here"}')]
    state = await Tools(ALL).act(facts("?", sink), {"tool_calls": calls})
    failed, fine = state["tool_results"]
    assert failed["error"]
    assert text in failed["text"]
    assert "secret" not in failed["text"]
    assert (fine["text"], fine["error"]) == ("still here", False)
    assert sink.tool_answers == {"c1": failed["text"], "c2": "still here"}


async def test_cancelling_reaches_the_tool() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def wait(arguments: Words) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "never"

    tools = Tools({"wait": named("wait", wait)})
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(tools.act(facts("?"), {"tool_calls": [call("wait")]}))
        await started.wait()
        turn.cancel()
    assert turn.cancelled()
    assert stopped.is_set()


async def test_no_calls_are_no_results() -> None:
    assert await Tools(ALL).act(facts("?"), {}) == {"tool_results": []}
