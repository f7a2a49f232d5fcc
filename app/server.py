"""Runs the application under uvicorn, ours or somebody else's, and lets it go in order."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import SettingsError
from core.loopback import is_loopback
from core.settings import Settings

# A peer that takes nothing for so long is gone, whatever the kernel still hopes (RFC 5482).
USER_TIMEOUT_MS = 10_000
# What one socket that isn't read may keep in the kernel.
SEND_BUFFER_BYTES = 128 * 1024
PING_SECONDS = 20.0
GRACE_SECONDS = 10
BACKLOG = 2048
# By this status uvicorn and gunicorn know that another try is no use.
REFUSED = 3
# What a server reads of its settings after it has started the application.
LATE_SETTINGS = (
    "ws_protocol_class",
    "ws_max_size",
    "ws_ping_interval",
    "ws_ping_timeout",
    "ws_per_message_deflate",
    "access_log",
    "encoded_headers",
    "timeout_graceful_shutdown",
)


class Application(Protocol):
    """What is served. on_failure: called when it can't go on: the process must end."""

    on_failure: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the whole life of the process."""
        ...

    async def drain(self) -> None:
        """Finish what is at work, and send the clients elsewhere."""
        ...


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


class AdoptedServer(uvicorn.Server):
    """A server that uvicorn's command line or a gunicorn worker has made, with our manners."""

    exit_status: int
    _app: Application

    @classmethod
    def adopt(cls, server: uvicorn.Server, app: Application, settings: Settings) -> None:
        """Change a server that is starting the application; it takes no connections yet."""
        ours = server_config(app, settings)
        ours.load()
        for name in LATE_SETTINGS:
            setattr(server.config, name, getattr(ours, name))
        server.__class__ = cls
        assert isinstance(server, cls)
        server.exit_status = 0
        server._app = app
        app.on_failure = server.stop

    def stop(self) -> None:
        """End the process, because what it serves has failed."""
        self.exit_status = 1
        self.should_exit = True

    async def main_loop(self) -> None:
        """Serve, unless the server listens where it must not."""
        listening = [one for server in self.servers for one in server.sockets]
        addresses = [one.getsockname() for one in listening if one.family != socket.AF_UNIX]
        foreign = [address[0] for address in addresses if not is_loopback(address[0])]
        if foreign:
            print(_not_loopback(foreign[0]), file=sys.stderr)  # noqa: T201 - for who started it
            self.exit_status = REFUSED
            return
        for one in listening:
            # The loop's own object can't set options; its copy is the same socket.
            with socket.socket(fileno=os.dup(one.fileno())) as same:
                limit_peers(same)
        await super().main_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain first. What other processes listen on too is left to them at once."""
        if sockets:
            # Both in one step of the loop, as uvicorn does it: the number of a descriptor that
            # only one of them has closed may be another connection's by the time of the other.
            for server in self.servers:
                server.close()
            for one in sockets:
                one.close()
        if not self.force_exit:
            await self._app.drain()
        await super().shutdown()
        if self.exit_status:
            sys.exit(self.exit_status)


class HostedApplication:
    """The application for a server that somebody else starts.

    Under uvicorn, its workers and gunicorn's it is served as by our own server. Another server
    drains when it ends the application, which may be after it has closed the sockets.
    """

    def __init__(self, app: Application, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the whole life of the process."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
        elif server := _server_in_charge():
            AdoptedServer.adopt(server, self._app, self._settings)
            await self._app(scope, receive, send)
        else:
            await self._app(scope, self._draining(receive), send)

    def _draining(self, receive: Receive) -> Receive:
        async def draining() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._app.drain()
            return message

        return draining


def _server_in_charge() -> uvicorn.Server | None:
    """Return the server that hears this process's signals, where it is a plain uvicorn."""
    hears = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return hears if type(hears) is uvicorn.Server else None


def _not_loopback(host: str) -> str:
    return (
        f"HOST: the server was told to listen on {host}, but it must be a loopback address "
        "(127.0.0.1, ::1, localhost) while there is no sign-in."
    )


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket; what it accepts inherits its time limits and buffers.

    Raises `SettingsError` with one sentence where the address can't be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    limit_peers(listening)
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


def limit_peers(listening: socket.socket) -> None:
    """Limit how long a peer stays that takes nothing, and how much it holds.

    What the socket accepts from now on inherits it.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if listening.family == socket.AF_UNIX:
        return
    with contextlib.suppress(AttributeError):
        # Linux only.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return uvicorn's settings; speed and safety depend on several of them."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        # The only implementation with write flow control and cheap closing of bad frames.
        ws="app.eager_socket:EagerSocket",
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
