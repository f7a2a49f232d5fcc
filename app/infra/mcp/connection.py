"""Opens a session with a server: a process of ours, or an address."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from langchain_mcp_adapters.sessions import Connection, McpHttpClientFactory, create_session
from mcp import ClientSession
from mcp.client.session import MessageHandlerFnT
from mcp.client.stdio import DEFAULT_INHERITED_ENV_VARS
from mcp.shared.session import RequestResponder
from mcp.types import (
    ClientResult,
    Implementation,
    ServerNotification,
    ServerRequest,
    ToolListChangedNotification,
)

from app.infra.mcp.call_transport import call_client
from app.infra.mcp.configured_server import Address, ConfiguredServer, Program

OURSELVES: Final = Implementation(name="colloquy", version="1")
KEPT: Final = frozenset({"PATH", "HOME"})
"""What a program has of this server's environment."""

LAUNCHER: Final = Path(__file__).with_name("launcher.py")


@asynccontextmanager
async def connected(
    server: ConfiguredServer, answer_seconds: float, changed: Callable[[], None]
) -> AsyncIterator[ClientSession]:
    """Give a session without its handshake; leaving it ends the process or says goodbye.

    answer_seconds: how long an answer over HTTP may pause. changed: called when the server says
    that its tools are others now. Raises whatever the transport does.
    """
    async with create_session(_connection(server, answer_seconds, _listening(changed))) as session:
        yield session


def _connection(
    server: ConfiguredServer, answer_seconds: float, handler: MessageHandlerFnT
) -> Connection:
    more = {"message_handler": handler, "client_info": OURSELVES}
    if isinstance(server.place, Address):
        return {
            "transport": "streamable_http",
            "url": server.place.url,
            "headers": dict(server.place.headers),
            "httpx_client_factory": _client_factory(answer_seconds),
            "session_kwargs": more,
        }
    return {
        "transport": "stdio",
        "command": sys.executable,
        "args": ["-I", "-S", str(LAUNCHER), str(os.getpid()), *_launched(server.place)],
        "env": dict(server.place.environment),
        "cwd": server.place.cwd,
        "encoding_error_handler": "replace",
        "session_kwargs": more,
    }


def _launched(program: Program) -> list[str]:
    # The official client hands on more of the environment than a program needs to start.
    dropped = set(DEFAULT_INHERITED_ENV_VARS) - KEPT - program.environment.keys()
    return [",".join(sorted(dropped)), program.command, *program.arguments]


def _client_factory(answer_seconds: float) -> McpHttpClientFactory:
    def client(
        headers: dict[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.AsyncClient:
        return call_client(headers or {}, answer_seconds)

    return client


def _listening(changed: Callable[[], None]) -> MessageHandlerFnT:
    async def hear(
        message: RequestResponder[ServerRequest, ClientResult] | ServerNotification | Exception,
    ) -> None:
        if isinstance(message, ServerNotification) and isinstance(
            message.root, ToolListChangedNotification
        ):
            changed()

    return hear
