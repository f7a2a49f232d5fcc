"""Tools of other programs, called by the executor."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import JsonValue

from app.tools.remote import ToolShelf, remote_tool
from app.tools.tool import Tool, ToolContext
from core.ports.tool_source import SourceTool, SourceToolError, SourceUnavailable
from core.principal import USER
from core.tools import AskKind, Effect, Outcome, OutputPart, TextPart
from tests.support.tool_house import Word, call, made, tool_house

KNOWN = SourceTool(
    name="files_read",
    server="files",
    source_name="read",
    description="Reads.",
    schema={
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    },
    effect=Effect.READ,
    needs_approval=False,
    deadline_seconds=5,
    roles=frozenset({USER}),
)
ARGUMENTS = '{"path": "a"}'


class ScriptedSource:
    """See `ToolSource`. It gives what it is told to, or raises it."""

    def __init__(self, *given: Exception | list[OutputPart]) -> None:
        self.known: Sequence[SourceTool] = (KNOWN,)
        self.calls: list[dict[str, JsonValue]] = []
        self._given = list(given)

    def tools(self) -> Sequence[SourceTool]:
        return self.known

    async def call(self, tool: SourceTool, arguments: dict[str, JsonValue]) -> list[OutputPart]:
        self.calls.append(arguments)
        given = self._given.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    async def run(self) -> None:
        return


def lost() -> SourceUnavailable:
    return SourceUnavailable("It broke off.", may_have_happened=True)


async def give(arguments: Word, context: ToolContext) -> str:
    return arguments.word


def writing(source: ScriptedSource) -> Tool:
    return remote_tool(source, replace(KNOWN, effect=Effect.WRITE))


async def test_a_call_gives_what_the_server_gives_and_taints_the_run() -> None:
    source = ScriptedSource([TextPart("content")])
    house = await tool_house(remote_tool(source, KNOWN))
    answer = await house.answer(call("files_read", arguments=ARGUMENTS))

    assert (answer.outcome, answer.text, answer.is_outside) == (Outcome.DONE, "content", True)
    assert source.calls == [{"path": "a"}]


async def test_arguments_are_checked_by_the_servers_schema_before_it_is_called() -> None:
    source = ScriptedSource()
    house = await tool_house(remote_tool(source, KNOWN))
    for wrong in ("{}", '{"path": 1}', '{"path": "a", "more": 1}', "[]"):
        house.told.clear()
        answer = await house.answer(call("files_read", arguments=wrong))
        assert answer.outcome is Outcome.INVALID
    assert source.calls == []


async def test_a_tools_own_failure_is_told_and_does_not_count_against_its_server() -> None:
    source = ScriptedSource(*[SourceToolError("out of paper")] * 10)
    house = await tool_house(remote_tool(source, KNOWN))
    for number in range(10):
        answer = await house.answer(call("files_read", number, ARGUMENTS))
        assert (answer.outcome, answer.text) == (Outcome.FAILED, "out of paper")


async def test_a_server_that_is_away_opens_the_breaker_of_all_its_tools() -> None:
    source = ScriptedSource(*[SourceUnavailable("It is away.")] * 6)
    other = remote_tool(source, replace(KNOWN, name="files_other"))
    house = await tool_house(remote_tool(source, KNOWN), other)
    for number in range(2):
        answer = await house.answer(call("files_read", number, ARGUMENTS))
    assert answer.outcome is Outcome.UNAVAILABLE

    refused = await house.answer(call("files_other", 9, ARGUMENTS))
    assert (refused.outcome, refused.circuit) == (Outcome.UNAVAILABLE, "mcp:files")
    assert len(source.calls) == 5


async def test_a_read_that_broke_off_is_repeated_and_a_write_is_asked_about() -> None:
    source = ScriptedSource(lost(), [TextPart("content")])
    house = await tool_house(remote_tool(source, KNOWN))
    assert (await house.answer(call("files_read", arguments=ARGUMENTS))).text == "content"

    source = ScriptedSource(lost())
    house = await tool_house(writing(source))
    ask = await house.question(call("files_read", arguments=ARGUMENTS))
    assert ask.kind is AskKind.UNKNOWN_OUTCOME
    assert len(source.calls) == 1


def test_the_shelf_follows_its_source_and_own_tools_win() -> None:
    source = ScriptedSource()
    own = made("files_read", give)
    shelf = ToolShelf({"files_read": own}, source)
    assert dict(shelf) == {"files_read": own}

    unusable = replace(KNOWN, name="files_bad", schema={"type": "nonsense"})
    source.known = (KNOWN, replace(KNOWN, name="files_other"), unusable)
    assert set(shelf) == {"files_read", "files_other"}
    assert shelf["files_read"] is own

    source.known = ()
    assert dict(shelf) == {"files_read": own}
