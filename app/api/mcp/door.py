"""The front door for MCP: streamable HTTP, where every request stands for itself.

Nothing is kept between two requests, so any node behind a balancer answers any of them.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog
from fastapi import APIRouter
from mcp import McpError
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequest,
    CallToolResult,
    ErrorData,
    ListToolsRequest,
    ListToolsResult,
    ServerResult,
    TextContent,
    Tool,
    ToolAnnotations,
)
from sse_starlette.sse import AppStatus
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.caller import principal_of
from app.api.mcp.tools import OfferedTool
from core.errors import AppError

PATH: Final = "/mcp"
MESSAGE_BYTES: Final = 256 * 1024
INSTRUCTIONS: Final = (
    "Colloquy answers questions from its documents, with the sources of what it says. "
    "`ask` runs a whole turn of its assistant; `search_knowledge` only finds passages."
)

log = structlog.get_logger(__name__)


class McpDoor:
    """Answers MCP's clients. `run` has to go on for as long as it is called."""

    def __init__(self, tools: Mapping[str, OfferedTool], version: str) -> None:
        self._tools = tools
        self._server: Server[Any, Request] = Server(
            "colloquy", version=version, instructions=INSTRUCTIONS
        )
        self._server.request_handlers[ListToolsRequest] = self._list
        self._server.request_handlers[CallToolRequest] = self._call
        self._requests = StreamableHTTPSessionManager(
            self._server, stateless=True, max_request_body_size=MESSAGE_BYTES
        )
        self._is_open = asyncio.Event()

    async def run(self) -> None:
        """Own the work of all requests until cancelled; what is under way then is cut off."""
        # Else every answer would break off with the first signal to end, before the drain.
        AppStatus.enable_automatic_graceful_drain = False
        async with self._requests.run():
            self._is_open.set()
            await asyncio.Event().wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; there are no streams to open and no sessions to end."""
        if scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        await self._is_open.wait()
        await self._requests.handle_request(scope, receive, send)

    async def _list(self, _: ListToolsRequest) -> ServerResult:
        tools = [_told(name, tool) for name, tool in self._tools.items()]
        return ServerResult(ListToolsResult(tools=tools))

    async def _call(self, request: CallToolRequest) -> ServerResult:
        name = request.params.name
        tool = self._tools.get(name)
        if tool is None:
            known = ", ".join(self._tools)
            message = f"There is no tool “{name[:100]}”, only: {known}"
            raise McpError(ErrorData(code=INVALID_PARAMS, message=message))
        asked = self._server.request_context.request
        assert asked is not None
        try:
            output = await tool.call(
                principal_of(asked), request.params.arguments or {}, _Ticking(self._server)
            )
        except AppError as error:
            return _failed(error.message)
        except Exception:
            # The border of the request: what went wrong is nobody's business but ours.
            log.exception("mcp.failed", tool=name)
            return _failed("Something went wrong on our side.")
        text = TextContent(type="text", text=output.text)
        body = output.body.model_dump(mode="json")
        return ServerResult(CallToolResult(content=[text], structuredContent=body))


class _Ticking:
    """Tells a client that wants to know it that its request is still at work."""

    def __init__(self, server: Server[Any, Request]) -> None:
        context = server.request_context
        self._session = context.session
        self._request_id = str(context.request_id)
        self._token = context.meta.progressToken if context.meta else None
        self._count = 0

    async def __call__(self) -> None:
        if self._token is not None:
            self._count += 1
            await self._session.send_progress_notification(
                self._token, self._count, related_request_id=self._request_id
            )


def mcp_routes(door: McpDoor) -> APIRouter:
    """Return the one route of MCP; it belongs to the root, not under the REST prefix."""
    router = APIRouter()
    router.add_route(PATH, door, include_in_schema=False)  # type: ignore[arg-type]
    return router


def _told(name: str, tool: OfferedTool) -> Tool:
    return Tool(
        name=name,
        description=tool.description,
        inputSchema=tool.takes.model_json_schema(),
        outputSchema=tool.gives.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            readOnlyHint=not tool.changes, destructiveHint=False, openWorldHint=False
        ),
    )


def _failed(message: str) -> ServerResult:
    text = TextContent(type="text", text=message)
    return ServerResult(CallToolResult(content=[text], isError=True))
