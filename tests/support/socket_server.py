"""Runs the socket door under the real server, in a thread with a loop of its own."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import Any, TypeVar

import uvicorn
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from app.infra.websocket.door import SocketDoor
from app.infra.websocket.house import SocketLimits
from app.server import listen, server_config
from core.settings import Settings
from tests.support.socket_peer import HELLO, Backstage

T = TypeVar("T")

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class RunningDoor:
    """A door that takes connections; `backstage` is touched through `do` alone."""

    def __init__(self, door: SocketDoor, backstage: Backstage, settings: Settings) -> None:
        self.door = door
        self.backstage = backstage
        self._settings = settings
        self._listening = listen(settings)
        self._server = uvicorn.Server(server_config(door, settings))
        self._server.config.lifespan = "off"
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = Thread(target=self._run, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listening.getsockname()
        return host, port

    @property
    def url(self) -> str:
        host, port = self.address
        return f"ws://{host}:{port}/ws"

    async def do(self, action: Callable[[], T]) -> T:
        """Return what an action gives that is done where the server runs."""

        async def act() -> T:
            return action()

        return await self.call(act())

    async def call(self, coroutine: Coroutine[object, object, T]) -> T:
        """Return what a coroutine gives that runs where the server runs."""
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop.result())
        return await asyncio.wrap_future(running)

    async def start(self) -> None:
        self._thread.start()
        await asyncio.wrap_future(self._loop)

    async def stop(self) -> None:
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(self.door.run())
            await self._server.serve(sockets=[self._listening])
            beating.cancel()


@asynccontextmanager
async def running_door(**changes: Any) -> AsyncIterator[RunningDoor]:
    """Give a running door with other settings; a test that hangs fails after 30 seconds."""
    backstage = Backstage()
    settings = Settings(port=0, **changes)
    limits = SocketLimits.from_settings(settings)
    running = RunningDoor(
        SocketDoor(backstage.house, limits, settings.allowed_origins), backstage, settings
    )
    await running.start()
    try:
        async with asyncio.timeout(30):
            yield running
    finally:
        await running.stop()


class Client:
    """A client that speaks JSON over a real socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, frame: object) -> None:
        """Send a frame: text and bytes as they are, anything else as JSON."""
        await self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        """Return the next frame that is no beat."""
        while True:
            frame: dict[str, Any] = json.loads(await self.connection.recv())
            if frame["type"] != "beat":
                return frame

    async def ask(self, frame: object) -> dict[str, Any]:
        """Send a frame and return the next that comes."""
        await self.say(frame)
        return await self.hear()

    async def hear_events(self, count: int) -> list[tuple[int, str]]:
        """Return the next so many events, each with its sequence."""
        told: list[tuple[int, str]] = []
        while len(told) < count:
            frame = await self.hear()
            assert frame["type"] == "events", frame
            said = [json.dumps(event) for event in frame["events"]]
            told.extend(enumerate(said, frame["sequence"]))
        return told

    async def hear_close(self) -> int | None:
        """Return the code of the close, whatever comes before it."""
        await self.connection.wait_closed()
        return self.connection.close_code


@asynccontextmanager
async def connected(door: RunningDoor, query: str = "", **options: Any) -> AsyncIterator[Client]:
    """Give a client that has said nothing yet."""
    async with connect(door.url + query, compression=None, max_size=None, **options) as connection:
        yield Client(connection)


@asynccontextmanager
async def welcomed(door: RunningDoor) -> AsyncIterator[Client]:
    """Give a client that has said hello."""
    async with connected(door) as client:
        assert (await client.ask(HELLO))["type"] == "welcome"
        yield client


@contextmanager
def deaf_client(door: RunningDoor, *frames: str) -> Iterator[socket.socket]:
    """Give a raw socket that says these frames and takes as little as the kernel allows."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(door.address)
        raw.sendall(HANDSHAKE)
        # What comes before the answer to the handshake is lost (RFC 6455, 4.1: it has to wait).
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += raw.recv(1)
        for frame in frames:
            raw.sendall(masked(frame.encode()))
        yield raw


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """Return a whole frame as a client sends it (RFC 6455, 5.2), masked with zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload
