"""Sends what one socket has to say, and gives up on a client that doesn't read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.types import Message, Send

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import ControlFrame, Error
from app.infra.websocket.house import SocketLimits
from app.infra.websocket.outbox import Outbox
from app.infra.websocket.send_now import SendNow, never
from app.infra.websocket.subscriptions import StaleReading, Subscription, Subscriptions
from core.errors import AppError

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why the socket is closed; `reason` is for a person."""

    code: CloseCode
    reason: str


class ClientGone(Exception):
    """There is nobody to send to any more."""


class Writer:
    """The sending side of one socket.

    renew: see `Desk.renew`.

    Everything but `run` and `say_farewell` is synchronous and only leaves a mark. What comes is
    sent in the loop's next turn by a plain call; the task that runs `run` is woken for the rest:
    to wait until the client reads, to renew a reading, to end.
    """

    __slots__ = (
        "_deadline",
        "_is_called",
        "_is_cut",
        "_is_gone",
        "_limits",
        "_loop",
        "_outbox",
        "_parked",
        "_renew",
        "_send",
        "_send_now",
        "_sending_since",
        "_subscriptions",
        "farewell",
    )

    def __init__(
        self,
        limits: SocketLimits,
        send: Send,
        subscriptions: Subscriptions,
        renew: Callable[[Subscription], Awaitable[Error | None]],
        send_now: SendNow = never,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._send = send
        self._send_now = send_now
        self._subscriptions = subscriptions
        self._renew = renew
        self._outbox = Outbox(limits.lag_bytes)
        self._deadline: asyncio.Timeout | None = None
        self._sending_since: float | None = None
        # Of the task, while it has nothing to do: a frame that it has to send, or None to look.
        self._parked: asyncio.Future[str | None] | None = None
        self._is_called = False
        self._is_cut = False
        self._is_gone = False
        self.farewell: Farewell | None = None
        subscriptions.on_mark = self.wake

    def wake(self) -> None:
        """Note that there may be something to send."""
        if self._parked is not None and not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._send_waiting)

    def say(self, frame: ControlFrame) -> None:
        """Send a frame before any events; a client that lets them pile up is cut off."""
        if not self._outbox.put(frame):
            self.cut_off("answers are not read")
        self.wake()

    def beat(self) -> None:
        """Send a beat."""
        self._outbox.put_beat()
        self.wake()

    def close(self, code: CloseCode, reason: str) -> None:
        """Send the answers that are waiting, then close; the first reason given counts."""
        if self.farewell is None:
            self.farewell = Farewell(code, reason)
        self.wake()

    def leave(self) -> None:
        """Note that the client has gone: nothing more is sent."""
        self._is_gone = True
        self.wake()

    def cut_off(self, reason: str) -> None:
        """Close at once, also in the middle of a send; the client comes back with its cursor."""
        self.close(CloseCode.SLOW, reason)
        if self._deadline is not None and not self._is_cut:
            self._is_cut = True
            self._deadline.reschedule(self._loop.time())

    def check(self, now: float) -> None:
        """Cut off a client that doesn't read. `now`: the loop's time.

        A deadline around each send would cost 8 µs a frame, twice all else done here (measured).
        """
        if self._sending_since is None:
            return
        if now - self._sending_since > self._limits.send_seconds:
            self.cut_off("frames are not read")
        elif self._subscriptions.lag_bytes() > self._limits.lag_bytes:
            self.cut_off("events are not read")

    async def run(self) -> None:
        """Send until the socket is to be closed, or the client has gone."""
        try:
            async with asyncio.timeout(None) as self._deadline:
                await self._send_all()
        except TimeoutError:
            pass  # `cut_off` has said why.
        except ClientGone:
            self._is_gone = True
        except Exception:
            log.exception("socket_writer_failed")
            self.close(CloseCode.INTERNAL, "internal error")
        finally:
            self._deadline = None
            self._sending_since = None

    async def say_farewell(self) -> bool:
        """Send the close code; False where the client doesn't even read that.

        A client that reads again within the send deadline still learns why.
        """
        if self._is_gone or self.farewell is None:
            return True
        code, reason = self.farewell.code.value, self.farewell.reason
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._transmit({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            return False
        except ClientGone:
            self._is_gone = True
        return True

    async def _send_all(self) -> None:
        while not self._is_gone:
            try:
                frame = self._next_frame() or await self._park()
            except StaleReading as stale:
                await self._go_on(stale.subscription)
                continue
            if frame is not None:
                self._sending_since = self._loop.time()
                await self._transmit({"type": "websocket.send", "text": frame})
                self._sending_since = None
            elif self.farewell is not None:
                return

    async def _park(self) -> str | None:
        """Return a frame that can't be sent at once, or None where there is something to see to.

        Raises what went wrong in `_send_waiting`.
        """
        if self.farewell is not None:
            return None
        self._parked = self._loop.create_future()
        try:
            return await self._parked
        finally:
            self._parked = None

    def _send_waiting(self) -> None:
        """Send what can be sent at once, and leave the rest to the task. Never raises."""
        self._is_called = False
        parked = self._parked
        if parked is None or parked.done():
            return
        try:
            while (frame := self._next_frame()) is not None:
                if not self._send_now(frame):
                    parked.set_result(frame)
                    return
        except Exception as error:  # the task's, whose border `run` is
            parked.set_exception(error)
            return
        if self._is_gone or self.farewell is not None:
            parked.set_result(None)

    def _next_frame(self) -> str | None:
        frame = self._outbox.take()
        if frame is None and self.farewell is None:
            return self._subscriptions.next_frame()
        return frame

    async def _transmit(self, message: Message) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:
            # OSError says that the client has gone. uvicorn raises RuntimeError between its own
            # close (1007, 1009: a frame broke the WebSocket protocol) and the disconnect.
            raise ClientGone from error

    async def _go_on(self, subscription: Subscription) -> None:
        try:
            lost = await self._renew(subscription)
        except (AppError, TimeoutError):
            # The client comes back with its cursors, and hears from `subscribe` how it stands.
            log.warning("socket_renewal_failed", conversation_id=subscription.conversation_id)
            self.close(CloseCode.OVERLOADED, "a conversation could not be read on")
        else:
            if lost is not None:
                self.say(lost)
