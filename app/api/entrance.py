"""The one ASGI application: lifespan, sockets to one door, requests to the other."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import AppError, SettingsError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """The open house: who answers requests, who sockets, and how it is left in order."""

    http: ASGIApp
    sockets: ASGIApp
    drain: Callable[[], Awaitable[None]]


class Entrance:
    """Opens the house at start-up, closes it at shutdown, and shows every caller its door.

    on_failure: called when the house can't be opened, or falls in later: the process must end.

    Sockets pass no HTTP middleware: a socket lives for hours, and each layer keeps its frames in
    memory as long.
    """

    def __init__(self, open_house: Callable[[], AbstractAsyncContextManager[Doors]]) -> None:
        self._open_house = open_house
        self._doors: Doors | None = None
        self.on_failure: Callable[[], None] = _ignore

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the whole life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._doors is not None
        is_socket = scope["type"] == "websocket"
        await (self._doors.sockets if is_socket else self._doors.http)(scope, receive, send)

    async def drain(self) -> None:
        """Finish what is at work, within the settings' time, and send the clients elsewhere."""
        if self._doors is not None:
            await self._doors.drain()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        has_started = False
        try:
            async with self._open_house() as self._doors:
                has_started = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            # The border of the process: the server is told, and stops.
            if not isinstance(error, (SettingsError, AppError)):
                log.exception("house.failed")
            phase = "shutdown" if has_started else "startup"
            self.on_failure()
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _ignore() -> None:
    return
