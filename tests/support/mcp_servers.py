"""Runs the example server of MCP, and a source that knows it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any, TypeVar

from app.infra.mcp.configured_server import Address, ConfiguredServer, Program
from app.infra.mcp.kept_server import Pace
from app.infra.mcp.tool_source import McpToolSource
from core.ports.tool_source import SourceTool

EXAMPLE = Path(__file__).with_name("mcp_example.py")
T = TypeVar("T")

SECONDS = 20.0
BRISK = Pace(0.05, 0.2, look_seconds=0.2, steady_seconds=0.0)


def program(*arguments: str, **environment: str) -> Program:
    """Return the example server as a process of the client's."""
    return Program(sys.executable, (str(EXAMPLE), "stdio", *arguments), environment)


def configured(place: Program | Address, name: str = "example", **said: Any) -> ConfiguredServer:
    """Return the example server as an operator has it."""
    return ConfiguredServer(name, place, **said)


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def address(port: int) -> Address:
    """Return where the example server answers."""
    return Address(f"http://127.0.0.1:{port}/mcp")


@contextmanager
def http_server(port: int, *arguments: str) -> Iterator[Popen[bytes]]:
    """Run the example server at a port; it may not be ready yet."""
    command = [sys.executable, str(EXAMPLE), "http", str(port), *arguments]
    with Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


@asynccontextmanager
async def source_of(
    *servers: ConfiguredServer, pace: Pace = BRISK, taken: Sequence[str] = ()
) -> AsyncIterator[McpToolSource]:
    """Give a source that looks after these servers."""
    source = McpToolSource(servers, taken, pace)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(source.run())
        try:
            yield source
        finally:
            keeping.cancel()


async def known(source: McpToolSource, name: str, server: str = "example") -> SourceTool:
    """Return a tool as soon as it is known."""

    def find() -> SourceTool | None:
        tools = (one for one in source.tools() if one.server == server)
        return next((one for one in tools if one.source_name == name), None)

    return await seen(find)


async def seen(find: Callable[[], T | None]) -> T:
    """Return what `find` gives as soon as it gives something."""
    async with asyncio.timeout(SECONDS):
        while not (found := find()):  # noqa: ASYNC110 - nobody tells of a process
            await asyncio.sleep(0.01)
    return found
