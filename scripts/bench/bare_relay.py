"""The least that a Python server can do: a socket in, the model's stream out, frame by frame.

`uvicorn scripts.bench.bare_relay:app`, with `OPENAI_BASE_URL` in the environment. No framework, no
log, no transcript: what it costs is the price of uvicorn and of reading, and the unit in which the
rest is measured. What one read brought is one frame.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import msgspec

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

END = '{"end":true}'


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


class Reader(asyncio.Protocol):
    """Reads one streamed completion; `pieces` is what came and was not fetched yet."""

    def __init__(self, request: bytes) -> None:
        self.pieces: list[str] = []
        self.wake = asyncio.Event()
        self.is_done = False
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._decoder = msgspec.json.Decoder(_Chunk)
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Parse one read."""
        self._parser.feed_data(data)
        self.wake.set()

    def on_body(self, body: bytes) -> None:
        """Take the text of the events that are whole."""
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            if event == b"data: [DONE]":
                self.is_done = True
                continue
            choices = self._decoder.decode(event[6:]).choices
            if choices and choices[0].delta.content:
                self.pieces.append(choices[0].delta.content)

    def on_message_complete(self) -> None:
        """Hang up."""
        self.is_done = True
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Wake who waits."""
        self.is_done = True
        self.wake.set()


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer each text frame with the model's reply to it."""
    if scope["type"] != "websocket":
        await _answer_http(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await _relay(message["text"], send)


async def _relay(question: str, send: Send) -> None:
    url = urlsplit(os.environ["OPENAI_BASE_URL"])
    loop = asyncio.get_running_loop()
    request = _request(url.netloc, f"{url.path}/chat/completions", question)
    _, reader = await loop.create_connection(
        lambda: Reader(request), url.hostname or "", url.port or 80
    )
    while not reader.is_done or reader.pieces:
        await reader.wake.wait()
        reader.wake.clear()
        if reader.pieces:
            text = "".join(reader.pieces)
            reader.pieces.clear()
            await send({"type": "websocket.send", "text": json.dumps({"delta": text})})
        elif reader.is_done:
            break
    await send({"type": "websocket.send", "text": END})


def _request(host: str, path: str, question: str) -> bytes:
    messages = [{"role": "user", "content": question}]
    body = json.dumps({"model": "scripted-1", "stream": True, "messages": messages}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answer_http(scope: Message, receive: Receive, send: Send) -> None:
    """Say that the server is up; and get through uvicorn's lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
