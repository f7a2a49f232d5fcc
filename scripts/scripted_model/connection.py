"""Answers the requests of one HTTP/1.1 connection."""

import asyncio
import socket
import struct
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from scripts.scripted_model.asked import read_request
from scripts.scripted_model.calls import scene
from scripts.scripted_model.chunks import ChunkWriter
from scripts.scripted_model.ledger import Entry, Ledger
from scripts.scripted_model.player import Player
from scripts.scripted_model.reply import (
    Reply,
    Request,
    plain,
    refused,
    streamed,
    takes_no_tools,
    whole,
)
from scripts.scripted_model.script import Script, read_script


@dataclass(frozen=True, slots=True)
class Stage:
    """What all connections share: the models, the script of a prompt without one, the ledger."""

    models: tuple[str, ...]
    default: Script
    ledger: Ledger


class Connection(asyncio.Protocol):
    """One client; requests are answered one after the other."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._number = stage.ledger.connected()
        self._parser = httptools.HttpRequestParser(self)
        self._path = ""
        self._authorization = ""
        self._body = bytearray()
        self._entry: Entry | None = None
        self._player: Player | None = None
        self._breaks = False
        self._writer = ChunkWriter(stage.models[0])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came; the parser calls the `on_` methods."""
        if self._breaks:
            self._reset()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Write down that the client left."""
        if self._player is not None:
            self._player.stop()
        if self._entry is not None:
            self._stage.ledger.ended(self._entry, "left")

    def pause_writing(self) -> None:
        """Hold the reply."""
        if self._player is not None:
            self._player.pause()

    def resume_writing(self) -> None:
        """Let the reply go on."""
        if self._player is not None:
            self._player.resume()

    def on_message_begin(self) -> None:
        """Forget the last request."""
        self._authorization = ""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        """Take the target; asked as a proxy, it answers for every host."""
        self._path = urlsplit(url.decode()).path

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take the one header that counts."""
        if name.lower() == b"authorization":
            self._authorization = value.decode()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        if self._path.startswith("/requests"):
            self._show_ledger()
            return
        body = bytes(self._body)
        self._entry = self._stage.ledger.opened(self._number, self._path, self._authorization, body)
        try:
            self._play(self._answer(body))
        except ValueError as error:
            self._play(plain(400, {"error": {"message": str(error)}}))

    def _answer(self, body: bytes) -> Reply:
        method = self._parser.get_method()
        match method, self._path:
            case b"POST", "/v1/chat/completions":
                return self._completion(body)
            case b"GET", "/v1/models":
                rows = [{"id": name, "object": "model"} for name in self._stage.models]
                return plain(200, {"object": "list", "data": rows})
            case b"GET", "/api/tags":
                tags = [{"name": name, "model": name} for name in self._stage.models]
                return plain(200, {"models": tags})
            case _:
                return plain(404, {"error": {"message": "no such path"}})

    def _completion(self, body: bytes) -> Reply:
        asked = read_request(body)
        script = read_script(asked.message, self._stage.default)
        if not self._stage.ledger.fails_again(asked.message, script.failures):
            script = script.healed()
        self._breaks = script.then == "reset"
        if script.status:
            return refused(script)
        if script.toolless and asked.offers_tools:
            return takes_no_tools(self._stage.models[0])
        script, calls = scene(script, asked)
        request = Request(
            number=self._entry.number if self._entry else 0,
            arrived_ns=time.monotonic_ns(),
            prompt_tokens=len(body) // 4,
            wants_usage=asked.wants_usage,
            calls=calls,
        )
        if asked.streams and not script.whole:
            return streamed(script, self._writer, request)
        return whole(script, self._stage.models[0], request)

    def _show_ledger(self) -> None:
        """`/requests` lists them; `/requests/N` answers when request N has ended."""
        number = self._path.removeprefix("/requests").strip("/")
        ledger = self._stage.ledger
        if not number:
            self._play(plain(200, [entry.as_json() for entry in ledger.entries()]))
        elif not number.isdigit() or (entry := ledger.entry(int(number))) is None:
            self._play(plain(404, {"error": {"message": "no such request"}}))
        elif entry.outcome is None:
            entry.waiting.append(lambda ended: self._play(plain(200, ended.as_json())))
        else:
            self._play(plain(200, entry.as_json()))

    def _play(self, reply: Reply) -> None:
        self._player = Player(self._transport, reply, self._ended)
        self._player.start()

    def _ended(self, ends: str) -> None:
        if ends == "hang":
            return
        self._player = None
        if self._entry is not None:
            self._stage.ledger.ended(self._entry, "complete")
            self._entry = None
        if ends == "close":
            self._transport.close()
        elif ends == "reset":
            self._reset()

    def _reset(self) -> None:
        # A linger of nothing makes the kernel send RST instead of FIN.
        raw: socket.socket = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
