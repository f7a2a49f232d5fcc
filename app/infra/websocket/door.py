"""Lets sockets in, and shows them out when the node goes away."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

import structlog
from starlette.types import Receive, Scope, Send

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.handshake import Refusal, refuse_handshake
from app.infra.websocket.heartbeat import Heartbeat
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.send_now import SendNow, send_now_of
from app.infra.websocket.socket import Socket

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

# About a millisecond at a time.
TRAFFIC_BATCH = 500


@dataclass(frozen=True, slots=True)
class SocketTraffic:
    """What all sockets of a node amount to.

    lag_bytes: what clients that had caught up have not taken yet.
    """

    sockets: int
    subscriptions: int
    lag_bytes: int


class SocketDoor:
    """The ASGI application for the scope `websocket`.

    A plain callable: a framework's socket object would cost as much memory as all of ours.
    """

    def __init__(
        self, house: House, limits: SocketLimits, allowed_origins: Collection[str] = ()
    ) -> None:
        self._house = house
        self._limits = limits
        self._allowed_origins = frozenset(allowed_origins)
        self._heartbeat = Heartbeat(limits.beat_seconds)
        self._sockets: set[Socket] = set()
        self._is_draining = False
        self._is_aside = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its close."""
        await receive()  # websocket.connect
        # The server logs it at accept; it is never read here, and may hold what somebody put there.
        scope["query_string"] = b""
        refusal = self._refuse(scope)
        if refusal is None:
            await send({"type": "websocket.accept"})
            send_now = send_now_of(scope)
            await self._serve(receive, send, send_now)
        else:
            log.info("socket_refused", status=refusal.value)
            await _send_refusal(refusal, scope, send)

    async def traffic(self) -> SocketTraffic:
        """Return the sums over all sockets, letting others have their turn in between."""
        subscriptions = lag_bytes = 0
        sockets = tuple(self._sockets)
        for number, socket in enumerate(sockets, 1):
            subscriptions += socket.subscription_count
            lag_bytes += socket.lag_bytes
            if number % TRAFFIC_BATCH == 0:
                await asyncio.sleep(0)
        return SocketTraffic(len(sockets), subscriptions, lag_bytes)

    async def run(self) -> None:
        """Keep time for all sockets until cancelled; without it there is no beat, no deadline."""
        await self._heartbeat.run()

    @property
    def socket_count(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    def drain(self, retry_after_seconds: float) -> None:
        """Let nobody in any more, and tell all that this node is going away."""
        self._is_draining = True
        for socket in self._sockets:
            socket.warn(retry_after_seconds)

    async def send_away(self, over_seconds: float) -> None:
        """Send all to other nodes, as `close_all` does, and let nobody in until `let_in`."""
        self._is_aside = True
        for socket in self._sockets:
            socket.warn(0.0)
        await self.close_all(over_seconds)

    def let_in(self) -> None:
        """Let sockets in again that were sent to other nodes."""
        self._is_aside = False

    async def close_all(self, over_seconds: float) -> None:
        """Close all sockets, spread evenly over a time, so that they do not come back at once.

        Returns when all are told, which is before the last of them is gone.
        """
        sockets = tuple(self._sockets)
        for socket in sockets:
            _show_out(socket)
            await asyncio.sleep(over_seconds / len(sockets))

    def _refuse(self, scope: Scope) -> Refusal | None:
        if self._is_draining or self._is_aside:
            return Refusal.UNAVAILABLE
        return refuse_handshake(
            scope["path"], scope["scheme"], scope["headers"], self._allowed_origins
        )

    async def _serve(self, receive: Receive, send: Send, send_now: SendNow) -> None:
        connection_id = uuid4().hex
        structlog.contextvars.bind_contextvars(connection_id=connection_id)
        socket = Socket(self._house, self._limits, connection_id, receive, send, send_now)
        self._sockets.add(socket)
        self._heartbeat.add(socket)
        log.debug("socket_opened")
        if self._is_aside:
            # It was let in just before the others were sent away.
            _show_out(socket)
        code: CloseCode | None = None
        try:
            code = await socket.serve()
        except Exception:
            # A bug in one socket ends that socket; the server closes it for us.
            log.exception("socket_failed")
        finally:
            self._heartbeat.discard(socket)
            self._sockets.discard(socket)
            log.debug("socket_closed", code=code.value if code else None)


def _show_out(socket: Socket) -> None:
    socket.close(CloseCode.GOING_AWAY, "the node goes away")


async def _send_refusal(refusal: Refusal, scope: Scope, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send(
        {"type": "websocket.http.response.start", "status": refusal.value, "headers": headers}
    )
    body = refusal.name.replace("_", " ").lower().encode()
    await send({"type": "websocket.http.response.body", "body": body})
