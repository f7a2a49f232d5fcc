"""The port to tools that other programs offer, such as MCP servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from core.tools import Effect, OutputPart


class SourceUnavailable(Exception):
    """The server is not there, or broke off; the message says so to a person and to a model.

    may_have_happened: the call may have been carried out all the same.
    """

    def __init__(self, message: str, *, may_have_happened: bool = False) -> None:
        super().__init__(message)
        self.may_have_happened = may_have_happened


class SourceToolError(Exception):
    """The tool itself says that it failed; the message is its own."""


@dataclass(frozen=True, slots=True)
class SourceTool:
    """A tool that a server offers. What its effect is, is the operator's word or the strictest.

    name: as models see it, unique over all servers: `SERVER_TOOL`. source_name: as its server
    knows it.
    schema: JSON Schema of the arguments, an object.
    """

    name: str
    server: str
    source_name: str
    description: str
    schema: dict[str, JsonValue]
    effect: Effect
    needs_approval: bool
    deadline_seconds: float
    roles: frozenset[str]


class ToolSource(Protocol):
    """Every configured server. One that is away is looked for again by `run`."""

    def tools(self) -> Sequence[SourceTool]:
        """Return the tools known now, of servers that are away too, once they were seen."""
        ...

    async def call(self, tool: SourceTool, arguments: dict[str, JsonValue]) -> list[OutputPart]:
        """Call a tool. Raises `SourceUnavailable`, `SourceToolError`. Cancelling reaches it."""
        ...

    async def run(self) -> None:
        """Keep the connections until cancelled; never raises because of a server."""
        ...
