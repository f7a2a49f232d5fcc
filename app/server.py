"""Runs the application under uvicorn, and lets it go in order."""

import contextlib
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import ASGIApp

from core.errors import SettingsError
from core.settings import Settings

# A peer that takes nothing for so long is gone, whatever the kernel still hopes (RFC 5482).
USER_TIMEOUT_MS = 10_000
# What one socket that isn't read may keep in the kernel.
SEND_BUFFER_BYTES = 128 * 1024
PING_SECONDS = 20.0
GRACE_SECONDS = 10
BACKLOG = 2048


class DrainingServer(uvicorn.Server):
    """A server that asks the application to finish before it closes the connections.

    failed: whether it ended because the application did.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._drain = drain
        self.failed = False

    def stop(self) -> None:
        """End the process, because what it serves has failed."""
        self.failed = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so once connections are taken."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain first: new connections still come in and are told to go elsewhere."""
        if not self.force_exit:
            await self._drain()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket; what it accepts inherits its time limits and buffers.

    Raises `SettingsError` with one sentence where the address can't be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    with contextlib.suppress(AttributeError):
        # Linux only.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"PORT: {settings.host}:{settings.port} can't be used ({error.strerror}); stop what "
            "uses it, or set another PORT."
        ) from None
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return uvicorn's settings; speed and safety depend on several of them."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        # The only implementation with write flow control and cheap closing of bad frames.
        ws="websockets-sansio",
        ws_max_size=settings.frame_max_bytes,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        # Costs 35 KB a socket, and lets a secret be guessed from sizes (BREACH).
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
