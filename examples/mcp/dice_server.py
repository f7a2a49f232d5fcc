"""An MCP server that rolls dice."""

import os
import random

from mcp.server.fastmcp import FastMCP

server = FastMCP("dice", log_level="WARNING")


@server.tool()
def roll(count: int = 2) -> list[int]:
    """Roll dice and tell what each shows."""
    return [random.randint(1, int(os.environ["DICE_SIDES"])) for _ in range(count)]


if __name__ == "__main__":
    server.run("stdio")
