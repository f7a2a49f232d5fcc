"""Says which tools there are for a caller: who is not named may not."""

from collections.abc import Mapping

from app.tools.services import ToolServices
from app.tools.tool import Tool
from core.principal import Principal


def may_call(tool: Tool, principal: Principal, agent: str) -> bool:
    """Whether the caller has one of the tool's roles, and the agent is one of its agents."""
    return agent in tool.agents and not tool.roles.isdisjoint(principal.roles)


def offered(
    tools: Mapping[str, Tool], services: ToolServices, principal: Principal, agent: str
) -> list[Tool]:
    """Return the tools that an agent may call for a caller and that can work here, by name."""
    return [
        tool
        for _, tool in sorted(tools.items())
        if may_call(tool, principal, agent) and services.has(tool.needs)
    ]
