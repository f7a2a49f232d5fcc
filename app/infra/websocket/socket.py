"""Runs one socket: hears commands in order, and sends what comes of them."""

import asyncio

from starlette.types import Receive, Send

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.decisions import Close, Command, Decision, Greet, Ignore, Reply
from app.infra.websocket.desk import Desk
from app.infra.websocket.frames import Error, GoingAway
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.protocol import SocketProtocol, SocketState
from app.infra.websocket.send_now import SendNow, never
from app.infra.websocket.subscriptions import Subscriptions
from app.infra.websocket.writer import Writer


class Socket:
    """One accepted socket, from its first frame to its close.

    Two tasks: the one that calls `serve` writes, and another reads, always: a client is heard
    while much is sent to it. The end of a socket never stops a run.
    """

    __slots__ = (
        "_connection_id",
        "_desk",
        "_hello_due",
        "_house",
        "_protocol",
        "_receive",
        "_subscriptions",
        "_writer",
    )

    def __init__(
        self,
        house: House,
        limits: SocketLimits,
        connection_id: str,
        receive: Receive,
        send: Send,
        send_now: SendNow = never,
    ) -> None:
        self._house = house
        self._connection_id = connection_id
        self._receive = receive
        self._hello_due = asyncio.get_running_loop().time() + limits.hello_seconds
        self._protocol = SocketProtocol(limits.frame_max_bytes, limits.subscriptions)
        self._subscriptions = Subscriptions()
        self._desk = Desk(house, limits, connection_id, self._protocol, self._subscriptions)
        self._writer = Writer(limits, send, self._subscriptions, self._desk.renew, send_now)

    @property
    def subscription_count(self) -> int:
        """How many conversations the client reads."""
        return len(self._subscriptions)

    @property
    def lag_bytes(self) -> int:
        """How far the slowest subscription is behind, of those that had caught up."""
        return self._subscriptions.lag_bytes()

    async def serve(self) -> CloseCode | None:
        """Return when the socket is closed: why, or None where the client left."""
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read())
                await self._writer.run()
                self._release()
                if not await self._writer.say_farewell():
                    # Else the server tells the reader of the disconnect, and it ends by itself:
                    # it may be in the middle of a command, which is then carried out.
                    reader.cancel()
        finally:
            # Again: the reader may have taken something while it was told to end.
            self._release()
        return self._writer.farewell.code if self._writer.farewell else None

    def visit(self, now: float, *, is_beat: bool) -> None:
        """See `Beating`."""
        self._writer.check(now)
        if self._protocol.state is SocketState.EXPECT_HELLO:
            if now > self._hello_due:
                self.close(CloseCode.HELLO_TIMEOUT, "no hello came")
        elif is_beat:
            self._writer.beat()

    def warn(self, retry_after_seconds: float) -> None:
        """Tell the client that this node is going away."""
        if self._protocol.state is SocketState.OPEN:
            self._writer.say(GoingAway(retry_after_seconds=retry_after_seconds))

    def expel(self) -> None:
        """Close the socket so that the client does not come back."""
        self.close(CloseCode.EXPELLED, "signed out")

    def close(self, code: CloseCode, reason: str) -> None:
        """Hear no more commands, and close the socket once their answers are sent."""
        self._protocol.close()
        self._writer.close(code, reason)

    def _release(self) -> None:
        self._protocol.close()
        self._subscriptions.close()
        self._house.presence.leave(self._connection_id)

    async def _read(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text")
            decision = self._protocol.receive(message["bytes"] if text is None else text)
            await self._act(decision)
            # One read from the network may bring thousands of frames: let others have their turn.
            await asyncio.sleep(0)
        self._writer.leave()

    async def _act(self, decision: Decision) -> None:
        match decision:
            case Ignore():
                pass
            case Reply():
                self._writer.say(decision.frame)
            case Close():
                if decision.frame:
                    self._writer.say(decision.frame)
                self.close(decision.code, decision.reason)
            case _:
                await self._answer(decision)

    async def _answer(self, command: Command) -> None:
        answer = await self._desk.answer(command, self.expel)
        self._writer.say(answer)
        if isinstance(command, Greet) and isinstance(answer, Error):
            code = CloseCode.OVERLOADED if answer.retryable else CloseCode.UNAUTHENTICATED
            self.close(code, "not welcome")
