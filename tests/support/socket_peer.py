"""The other end of a socket without a network: speaks ASGI to the shell, frame by frame."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from app.infra.memory.presence import MemoryPresence
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.ports import identify_local
from app.infra.websocket.send_now import never
from app.infra.websocket.socket import Socket
from core.clock import SystemClock
from tests.support.fake_conversations import FakeReadings, FakeTurns

CONVERSATION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
RUN = "33333333-3333-4333-8333-333333333333"

LIMITS = SocketLimits(
    frame_max_bytes=64 * 1024,
    lag_bytes=16 * 1024,
    subscriptions=3,
    send_seconds=5,
    hello_seconds=5,
    beat_seconds=2,
)
HELLO = {"type": "hello", "id": "h", "protocol": 1}


class Backstage:
    """What stands behind the sockets of a test.

    is_eager: whether the server takes frames without being awaited.
    """

    def __init__(self, *, is_eager: bool = False) -> None:
        self.is_eager = is_eager
        self.readings = FakeReadings()
        self.turns = FakeTurns()
        self.presence = MemoryPresence()
        self.house = House(
            node="node-1",
            identify=identify_local,
            turns=self.turns,
            readings=self.readings,
            presence=self.presence,
            clock=SystemClock(),
        )


class Peer:
    """A client and its server in one: it hands over frames and takes what is sent.

    is_reading: cleared, sends wait as they do when the network's buffers are full.
    """

    def __init__(self, backstage: Backstage, limits: SocketLimits) -> None:
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gone: Exception | None = None
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        send_now = self._send_now if backstage.is_eager else never
        self.socket = Socket(
            backstage.house, limits, "connection-1", self._receive, self._send, send_now
        )

    async def _receive(self) -> dict[str, Any]:
        return await self._incoming.get()

    async def _send(self, message: Any) -> None:
        await self.is_reading.wait()
        if self._gone is not None:
            raise self._gone
        self._outgoing.put_nowait(message)
        if message["type"] == "websocket.close":
            self._incoming.put_nowait({"type": "websocket.disconnect"})

    def _send_now(self, text: str) -> bool:
        if not self.is_reading.is_set() or self._gone is not None:
            return False
        self._outgoing.put_nowait({"type": "websocket.send", "text": text})
        return True

    def say(self, frame: object) -> None:
        """Send a frame: text as it is, bytes as a binary frame, anything else as JSON."""
        if isinstance(frame, bytes):
            self._incoming.put_nowait({"type": "websocket.receive", "bytes": frame})
            return
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self, raising: Exception | None = None) -> None:
        """Go without a word, as a lost connection does; `raising`: what sends then raise."""
        self._gone = raising or OSError()
        self.is_reading.set()
        self._incoming.put_nowait({"type": "websocket.disconnect"})

    async def hear(self) -> dict[str, Any]:
        """Return the next frame."""
        message = await self._outgoing.get()
        assert message["type"] == "websocket.send", message
        frame: dict[str, Any] = json.loads(message["text"])
        return frame

    async def ask(self, frame: object) -> dict[str, Any]:
        """Send a frame and return the next one that comes."""
        self.say(frame)
        return await self.hear()

    async def hear_close(self) -> int:
        """Return the code of the close, which must come next."""
        message = await self._outgoing.get()
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        return code

    def unheard(self) -> int:
        """Return how many frames are waiting to be heard."""
        return self._outgoing.qsize()

    def hears_nothing(self) -> bool:
        """Return whether none is."""
        return self.unheard() == 0


@asynccontextmanager
async def connected(backstage: Backstage, **changes: float) -> AsyncIterator[Peer]:
    """Give a peer whose socket is served, and leave at the end."""
    peer = Peer(backstage, replace(LIMITS, **changes))  # type: ignore[arg-type]
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.socket.serve())
        yield peer
        peer.leave()


@asynccontextmanager
async def welcomed(backstage: Backstage, **changes: float) -> AsyncIterator[Peer]:
    """Give a peer that has said hello."""
    async with connected(backstage, **changes) as peer:
        assert (await peer.ask(HELLO))["type"] == "welcome"
        yield peer


async def settle(rounds: int = 20) -> None:
    """Let every task go as far as it can without anything from outside."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def subscribe(conversation_id: str = CONVERSATION, command_id: str = "s") -> dict[str, Any]:
    """Return the command without a cursor."""
    return {"type": "subscribe", "id": command_id, "conversation_id": conversation_id}


def run(text: str = "Hi", run_id: str = RUN, command_id: str = "r") -> dict[str, Any]:
    """Return the command to say something in `CONVERSATION`."""
    messages = [{"id": "m-1", "role": "user", "content": text}]
    return {
        "type": "run",
        "id": command_id,
        "run_id": run_id,
        "conversation_id": CONVERSATION,
        "input": {"messages": messages},
    }
