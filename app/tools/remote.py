"""Tools of other programs, as tools of this one."""

from collections.abc import Iterator, Mapping, Sequence

import structlog
from pydantic import JsonValue

from app.tools.tool import (
    RETRIES,
    MayHaveHappened,
    Tool,
    ToolContext,
    ToolError,
    ToolUnavailable,
)
from app.tools.validation import parser_of_schema
from core.ports.tool_source import SourceTool, SourceToolError, SourceUnavailable, ToolSource
from core.tools import OutputPart

log = structlog.get_logger(__name__)


class ToolShelf(Mapping[str, Tool]):
    """Every tool by its name: this server's own, and those that a source knows of now.

    A source's tool never takes the name of one of our own.
    """

    def __init__(self, own: Mapping[str, Tool], source: ToolSource) -> None:
        self._own = own
        self._source = source
        self._seen: Sequence[SourceTool] = ()
        self._all: Mapping[str, Tool] = dict(own)

    def __getitem__(self, name: str) -> Tool:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, Tool]:
        known = self._source.tools()
        if known is not self._seen:
            self._seen = known
            self._all = {**_remote_tools(self._source, known), **self._own}
        return self._all


def _remote_tools(source: ToolSource, known: Sequence[SourceTool]) -> dict[str, Tool]:
    tools: dict[str, Tool] = {}
    for one in known:
        try:
            tools[one.name] = remote_tool(source, one)
        except ValueError:
            log.warning("tool.schema_unusable", tool=one.name, server=one.server)
    return tools


def remote_tool(source: ToolSource, known: SourceTool) -> Tool:
    """Return a tool that a server makes the calls of; it has the server's breaker.

    Raises `ValueError` where what it takes is described by no JSON Schema.
    """

    async def call(arguments: dict[str, JsonValue], context: ToolContext) -> list[OutputPart]:
        try:
            return await source.call(known, arguments)
        except SourceToolError as error:
            raise ToolError(str(error)) from None
        except SourceUnavailable as error:
            failure = MayHaveHappened if error.may_have_happened else ToolUnavailable
            raise failure(str(error)) from None

    return Tool(
        name=known.name,
        description=known.description,
        schema=known.schema,
        parse=parser_of_schema(known.schema),
        function=call,
        effect=known.effect,
        roles=known.roles,
        deadline_seconds=known.deadline_seconds,
        retries=RETRIES if known.effect.is_repeatable else 0,
        needs_approval=known.needs_approval,
        is_outside=True,
        circuit=f"mcp:{known.server}",
    )
