"""One connection to a server, from its handshake until it breaks."""

import asyncio
from contextlib import suppress
from typing import Final

from anyio import BrokenResourceError, ClosedResourceError
from mcp import ClientSession, McpError
from mcp.types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    ClientRequest,
    ErrorData,
    PaginatedRequestParams,
    Tool,
)
from pydantic import JsonValue, ValidationError

from app.infra.mcp.call_transport import LOST, NOT_SENT, REFUSED
from core.ports.tool_source import SourceToolError, SourceUnavailable
from core.storable_text import storable

LIST_SECONDS: Final = 10.0
MOST_TOOLS: Final = 200
ERROR_CHARS: Final = 2_000

# What the official client makes of an answer with status 404: the server has forgotten us.
_SESSION_OVER: Final = (32600, "Session terminated")
_MOST_CANCELLED: Final = 1_000


class NotSent(Exception):
    """The server was not reached by this connection: nothing has happened."""


class Link:
    """Calls over one session. `wake` is set when somebody should look after it.

    is_broken: it is of no use any more.
    """

    def __init__(self, server: str, session: ClientSession, wake: asyncio.Event) -> None:
        self._server = server
        self._session = session
        self._wake = wake
        self._calls: set[asyncio.Timeout] = set()
        self._cancelled: asyncio.Queue[int] = asyncio.Queue(_MOST_CANCELLED)
        self.is_broken = False

    @property
    def is_busy(self) -> bool:
        """Whether calls are under way: a server may do one thing at a time."""
        return bool(self._calls)

    def break_off(self) -> None:
        """Let whoever keeps it see that it is of no use."""
        self.is_broken = True
        self._wake.set()

    def close(self) -> None:
        """End the calls that are under way; each may have been carried out."""
        self.is_broken = True
        now = asyncio.get_running_loop().time()
        for call in self._calls:
            call.reschedule(now)

    async def tools(self) -> list[Tool]:
        """Return the tools that the server has now, `MOST_TOOLS` at most."""
        found: list[Tool] = []
        cursor: str | None = None
        async with asyncio.timeout(LIST_SECONDS):
            while len(found) < MOST_TOOLS:
                page = await self._session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                found += page.tools
                cursor = page.nextCursor
                if not cursor:
                    break
        return found[:MOST_TOOLS]

    async def call(self, tool: str, arguments: dict[str, JsonValue]) -> CallToolResult:
        """Return what a tool answers, be it that it failed.

        Raises `NotSent`, `SourceUnavailable`, `SourceToolError`. Cancelling tells the server.
        """
        params = CallToolRequestParams(name=tool, arguments=arguments)
        request = ClientRequest(CallToolRequest(params=params))
        if self.is_broken:
            raise NotSent
        # The session tells nobody the number that it gives to a request, and nothing comes
        # between this line and the giving. A cancellation names the request by it.
        number = self._session._request_id
        try:
            async with asyncio.timeout(None) as until_closed:
                self._calls.add(until_closed)
                try:
                    return await self._session.send_request(request, CallToolResult)
                finally:
                    self._calls.discard(until_closed)
        except asyncio.CancelledError:
            # Where so many wait to be told, the server is beyond hearing it.
            with suppress(asyncio.QueueFull):
                self._cancelled.put_nowait(number)
            raise
        except (ClosedResourceError, BrokenResourceError):
            raise NotSent from None
        except TimeoutError:
            raise self._lost() from None
        except ValidationError:
            raise self._lost("gave an answer that can't be read") from None
        except McpError as error:
            raise self._failure(error.error) from None

    async def tell_cancelled(self) -> None:
        """Tell the server of cancelled calls; ends with the error of a broken connection."""
        while True:
            number = await self._cancelled.get()
            params = CancelledNotificationParams(requestId=number, reason="Nobody waits any more.")
            notification = ClientNotification(CancelledNotification(params=params))
            await self._session.send_notification(notification)

    def _failure(self, error: ErrorData) -> Exception:
        known = (error.code, error.message)
        if error.code == NOT_SENT or known == _SESSION_OVER:
            return NotSent()
        if error.code == LOST:
            self._wake.set()
            return self._lost()
        if error.code == REFUSED:
            self._wake.set()
            return SourceUnavailable(f"The server “{self._server}” would not have the call.")
        if known == (CONNECTION_CLOSED, "Connection closed"):
            self.break_off()
            return self._lost()
        return SourceToolError(storable(error.message[:ERROR_CHARS]) or "It failed.")

    def _lost(self, what: str = "broke off while it was called") -> SourceUnavailable:
        return SourceUnavailable(f"The server “{self._server}” {what}.", may_have_happened=True)
