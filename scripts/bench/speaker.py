"""Speaks to a server over one socket, in the relays' words or in Colloquy's."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from uuid import uuid4

from scripts.bench.client_socket import ClientSocket, open_socket

_STAMP = re.compile(rb"@(\d{18})")
_ARRIVAL = re.compile(rb"#(\d{18})@(\d{18})")

OnTokens = Callable[[list[bytes], int], None]


class Refusal(Exception):
    """The server said no; the message is its frame."""


class Speaker:
    """One socket that asks one question at a time.

    on_tokens: gets the stamps of the tokens of one frame and when it was read.
    tokens: how many came so far.
    heard: set with the first token of an answer.
    """

    _end = b'{"end":true}'
    _fault = b'"error"'

    def __init__(self, url: str, on_tokens: OnTokens) -> None:
        self.tokens = 0
        self.heard = asyncio.Event()
        self.on_tokens = on_tokens
        self.first_frame_ns = 0
        self.first_stamps: tuple[int, int] | None = None
        self._url = url
        self._socket: ClientSocket | None = None
        self._over: asyncio.Future[None] | None = None
        self._awaited: tuple[str, asyncio.Future[dict[str, object]]] | None = None

    async def open(self) -> None:
        """Connect and get ready to ask."""
        self._socket = await open_socket(self._url, self._take, self._lost)

    def ask(self, question: str) -> "asyncio.Future[None]":
        """Ask; the future is done when the answer is over."""
        self.first_stamps = None
        self.heard.clear()
        self._over = asyncio.get_running_loop().create_future()
        self._send(self._question(question))
        return self._over

    def stop(self) -> None:
        """Hear no more of the answer."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
        if self._socket is not None:
            self._socket.close()

    def _question(self, question: str) -> str:
        return question

    def _send(self, text: str) -> None:
        assert self._socket is not None
        self._socket.send_text(text)

    def _take(self, payload: bytes, received_ns: int) -> None:
        stamps = _STAMP.findall(payload)
        if stamps:
            self.tokens += len(stamps)
            self.heard.set()
            if self.first_stamps is None and (found := _ARRIVAL.search(payload)):
                self.first_stamps = (int(found[1]), int(found[2]))
                self.first_frame_ns = received_ns
            self.on_tokens(stamps, received_ns)
        elif self._awaited is not None or self._fault in payload:
            self._take_answer(payload)
        if self._end in payload and self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _take_answer(self, payload: bytes) -> None:
        frame = json.loads(payload)
        waiting = self._awaited[1] if self._awaited else self._over
        if waiting is None or waiting.done():
            return
        if self._awaited and frame.get("type") == self._awaited[0]:
            self._awaited[1].set_result(frame)
        elif self._fault in payload:
            waiting.set_exception(Refusal(payload.decode()))

    def _lost(self, reason: str) -> None:
        for waiting in (self._over, self._awaited and self._awaited[1]):
            if waiting is not None and not waiting.done():
                waiting.set_exception(Refusal(reason))


class ColloquySpeaker(Speaker):
    """Speaks `docs/protocol.md`: one conversation, subscribed to before it is measured.

    conversation_id: one that exists already; None: it begins one with a turn of its own.
    listen_url: another node's, which gives the answers; empty: the one that is asked.
    """

    _end = b'"RUN_FINISHED"'
    _fault = b'rror"'  # `"type":"error"` on the socket, `"RUN_ERROR"` in a run

    def __init__(
        self,
        url: str,
        on_tokens: OnTokens,
        conversation_id: str | None = None,
        *,
        listen_url: str = "",
    ) -> None:
        super().__init__(url, on_tokens)
        self._listen_url = listen_url
        self._listening: ClientSocket | None = None
        self._must_begin = conversation_id is None
        self.conversation_id = conversation_id or str(uuid4())
        self._run_id = ""

    async def open(self) -> None:
        """Say hello, begin the conversation and subscribe to it."""
        await super().open()
        await self._command("welcome", {"type": "hello", "protocol": 1})
        if self._must_begin:
            run = json.loads(self._question("[[tokens=1]]"))
            await self._command("accepted", run)
        self._over = asyncio.get_running_loop().create_future() if self._must_begin else None
        await self._subscribe()
        if self._over is not None:
            await self._over

    async def _subscribe(self) -> None:
        command = {"type": "subscribe", "conversation_id": self.conversation_id}
        if not self._listen_url:
            await self._command("subscribed", command)
            return
        self._listening = await open_socket(self._listen_url, self._take, self._lost)
        await self._command("welcome", {"type": "hello", "protocol": 1}, self._listening)
        await self._command("subscribed", command, self._listening)

    def close(self) -> None:
        """Hang up."""
        super().close()
        if self._listening is not None:
            self._listening.close()

    def stop(self) -> None:
        """Cancel the run: hanging up would not end it."""
        self._send(json.dumps({"type": "cancel", "id": "s", "run_id": self._run_id}))

    def _question(self, question: str) -> str:
        self._run_id = str(uuid4())
        message = {"id": str(uuid4()), "role": "user", "content": question}
        run = {
            "type": "run",
            "id": "r",
            "run_id": self._run_id,
            "conversation_id": self.conversation_id,
            "input": {"messages": [message]},
            "on_busy": "reject",
        }
        return json.dumps(run)

    async def _command(
        self, answer: str, command: Mapping[str, object], on: ClientSocket | None = None
    ) -> None:
        future: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        self._awaited = (answer, future)
        text = json.dumps({"id": "c", **command})
        if on is None:
            self._send(text)
        else:
            on.send_text(text)
        await future
        self._awaited = None
