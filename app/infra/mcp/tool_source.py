"""The tools of every configured server."""

import asyncio
import json
from collections.abc import Collection, Sequence
from typing import Final

import structlog
from mcp.types import Tool
from pydantic import JsonValue

from app.infra.mcp.configured_server import ConfiguredServer, Hints
from app.infra.mcp.kept_server import KeptServer, Pace
from app.infra.mcp.link import ERROR_CHARS
from app.infra.mcp.outputs import error_text, output_parts
from app.infra.mcp.tool_names import tool_names
from core.ports.tool_source import SourceTool, SourceToolError
from core.storable_text import storable
from core.tools import OutputPart

log = structlog.get_logger(__name__)

DESCRIPTION_CHARS: Final = 4_000
SCHEMA_CHARS: Final = 50_000

# An answer may pause for longer than any call may take: the deadline is the caller's to keep.
_MARGIN_SECONDS: Final = 5.0


class McpToolSource:
    """See `ToolSource`. taken: names that are not free for its tools."""

    def __init__(
        self,
        servers: Sequence[ConfiguredServer],
        taken: Collection[str] = (),
        pace: Pace | None = None,
    ) -> None:
        self._taken = frozenset(taken)
        self._servers = {server.name: server for server in servers}
        self._kept = {
            server.name: KeptServer(server, _longest(server), pace or Pace(), self._gather)
            for server in servers
        }
        self._tools: tuple[SourceTool, ...] = ()

    def tools(self) -> Sequence[SourceTool]:
        """See `ToolSource`; the same object until something has changed."""
        return self._tools

    async def call(self, tool: SourceTool, arguments: dict[str, JsonValue]) -> list[OutputPart]:
        """See `ToolSource`."""
        result = await self._kept[tool.server].call(tool.source_name, arguments)
        if result.isError:
            raise SourceToolError(storable(error_text(result, ERROR_CHARS)))
        return output_parts(result)

    async def run(self) -> None:
        """See `ToolSource`. The processes of servers have ended when it has."""
        async with asyncio.TaskGroup() as group:
            for kept in self._kept.values():
                group.create_task(kept.keep())

    def _gather(self) -> None:
        """Take the tools of all servers together, in the file's order and by name."""
        found = {
            (server.name, tool.name): tool
            for server in self._servers.values()
            for tool in sorted(self._kept[server.name].tools, key=lambda one: one.name)
            if server.allows(tool.name) and _is_usable(server, tool)
        }
        names = tool_names(found, self._taken)
        self._tools = tuple(
            _source_tool(name, self._servers[pair[0]], found[pair]) for pair, name in names.items()
        )


def _is_usable(server: ConfiguredServer, tool: Tool) -> bool:
    if tool.name and len(json.dumps(tool.inputSchema)) <= SCHEMA_CHARS:
        return True
    log.warning("mcp.tool_left_out", server=server.name, tool=tool.name[:100])
    return False


def _source_tool(name: str, server: ConfiguredServer, tool: Tool) -> SourceTool:
    hints = tool.annotations
    said = Hints(
        is_read_only=bool(hints and hints.readOnlyHint),
        is_idempotent=bool(hints and hints.idempotentHint),
    )
    effect = server.effect(tool.name, said)
    return SourceTool(
        name=name,
        server=server.name,
        source_name=tool.name,
        description=storable((tool.description or tool.title or tool.name)[:DESCRIPTION_CHARS]),
        schema=tool.inputSchema,
        effect=effect,
        needs_approval=server.needs_approval(tool.name, effect),
        deadline_seconds=server.deadline_seconds(tool.name),
        roles=server.roles_of(tool.name),
    )


def _longest(server: ConfiguredServer) -> float:
    default = server.deadline_seconds("")
    return max([default, *server.deadlines.values()]) + _MARGIN_SECONDS
