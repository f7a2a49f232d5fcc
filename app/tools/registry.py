"""The one place where the tools there are get listed."""

from app.tools.calculate import calculate
from app.tools.current_time import make_current_time
from app.tools.tool import Tool
from core.clock import Clock


def build_tools(clock: Clock) -> dict[str, Tool]:
    """Return every tool by its name. To add one: write its file, and its line here."""
    tools = (
        calculate,
        make_current_time(clock),
    )
    return {tool.name: tool for tool in tools}
