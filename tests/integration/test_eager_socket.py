"""What the server's own socket adds to ASGI, over the network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from app.eager_socket import text_frame
from app.infra.websocket.send_now import SendNow, send_now_of
from app.server import listen, server_config
from core.settings import Settings

SIZES = [0, 125, 126, 65_535, 65_536]
# More than the server's and the client's buffers take together.
TOO_MUCH = 64


class Speaker:
    """An application that hands out how its one socket can be spoken to."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.is_over = asyncio.Event()
        self.send_now: SendNow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the socket until the client leaves."""
        assert scope["type"] == "websocket"
        self.send_now = send_now_of(scope)
        await receive()
        assert not self.send_now("too early")
        self.send = send
        await send({"type": "websocket.accept"})
        self.is_open.set()
        while (message := await receive())["type"] != "websocket.disconnect":
            self.heard: Message = message
        self.is_over.set()


@asynccontextmanager
async def serving(speaker: Speaker) -> AsyncIterator[str]:
    settings = Settings(port=0)
    listening = listen(settings)
    config = server_config(speaker, settings)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/ws"
        server.should_exit = True


@pytest.mark.parametrize("size", SIZES)
def test_a_text_frame_is_what_the_protocol_says(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


async def test_what_is_sent_at_once_and_what_is_awaited_comes_in_order() -> None:
    speaker = Speaker()
    async with serving(speaker) as url, connect(url, compression=None) as client:
        await speaker.is_open.wait()
        assert speaker.send_now("é 1")
        await speaker.send({"type": "websocket.send", "text": "2"})
        assert speaker.send_now(json.dumps(["3", "x" * 70_000]))
        heard = [await client.recv() for _ in range(3)]
    assert heard == ["é 1", "2", json.dumps(["3", "x" * 70_000])]


async def test_a_client_that_does_not_read_has_to_be_awaited() -> None:
    speaker = Speaker()
    async with serving(speaker) as url, connect(url, compression=None, max_queue=1) as client:
        await speaker.is_open.wait()
        sent = 0
        while sent < TOO_MUCH and speaker.send_now("x" * 1024 * 1024):
            sent += 1
        assert sent < TOO_MUCH
        for _ in range(sent):
            assert len(await client.recv()) == 1024 * 1024
        await speaker.send({"type": "websocket.send", "text": "there is room again"})
        assert speaker.send_now("so this needs no waiting")
        assert await client.recv() == "there is room again"


async def test_nothing_can_be_sent_to_a_client_that_left() -> None:
    speaker = Speaker()
    async with serving(speaker) as url:
        async with connect(url, compression=None):
            await speaker.is_open.wait()
        await speaker.is_over.wait()
        assert not speaker.send_now("goodbye")
