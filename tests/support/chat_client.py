"""A client of the WebSocket, as somebody would write it from the documentation."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.support.fold import Shown

WAIT_SECONDS = 30


class ChatClient:
    """Speaks the protocol, keeps every frame, and folds one conversation.

    cursor: the last event seen, as a `subscribe` takes it; None before the first.
    """

    def __init__(self, connection: ClientConnection, conversation_id: str) -> None:
        self._connection = connection
        self._commands = 0
        self._awaited = 0
        self.conversation_id = conversation_id
        self.frames: list[dict[str, Any]] = []
        self.shown = Shown()
        self.cursor: dict[str, Any] | None = None

    def seen_by(self, other: "ChatClient") -> Self:
        """Go on with what another connection of the same client has seen."""
        self.shown, self.cursor = other.shown, other.cursor
        return self

    async def command(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer; events that come meanwhile are kept."""
        self._commands += 1
        command_id = str(self._commands)
        await self._connection.send(json.dumps({"type": kind, "id": command_id, **fields}))
        while True:
            frame = await self.receive()
            if frame.get("id") == command_id:
                return frame

    async def ask(self, text: str, **fields: Any) -> str:
        """Send a message, subscribe where that was not done, and return the run's id."""
        run_id = fields.pop("run_id", None) or str(uuid4())
        message = {"id": f"question-{run_id}", "role": "user", "content": text}
        answer = await self.command(
            "run",
            run_id=run_id,
            conversation_id=self.conversation_id,
            input={"messages": [message]},
            **fields,
        )
        assert answer["type"] == "accepted", answer
        if self.cursor is None:
            await self.subscribe()
        return str(run_id)

    async def subscribe(self) -> dict[str, Any]:
        """Subscribe from the cursor, or from the first event without one."""
        after = {"after": self.cursor} if self.cursor else {}
        return await self.command("subscribe", conversation_id=self.conversation_id, **after)

    async def receive(self) -> dict[str, Any]:
        """Return the next frame that is not a beat, having applied its events."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame: dict[str, Any] = json.loads(await self._connection.recv())
                if frame["type"] != "beat":
                    break
        self.frames.append(frame)
        if frame["type"] == "events":
            self._apply(frame)
        return frame

    async def until(self, kind: str) -> dict[str, Any]:
        """Receive until an event of this type was applied; return it."""
        while True:
            frame = await self.receive()
            for event in frame.get("events", ()):
                if event["type"] == kind:
                    return dict(event)

    async def finished(self) -> Shown:
        """Receive until one more run has ended than was waited for before; return what is shown."""
        self._awaited += 1
        while len(self.shown.endings) < self._awaited:
            await self.receive()
        return self.shown

    def _apply(self, frame: dict[str, Any]) -> None:
        events = frame["events"]
        is_snapshot = events[0]["type"] == "MESSAGES_SNAPSHOT"
        if self.cursor is not None and not is_snapshot:
            assert frame["epoch"] == self.cursor["epoch"]
            assert frame["sequence"] == self.cursor["sequence"] + 1, "a gap, or the same again"
        for event in events:
            self.shown.add(event)
        last = frame["sequence"] + len(events) - 1
        self.cursor = {"epoch": frame["epoch"], "sequence": last}


@asynccontextmanager
async def chat_client(
    socket_url: str, conversation_id: str | None = None
) -> AsyncIterator[ChatClient]:
    """Give a client that has said hello, on a conversation of its own or the one named."""
    async with connect(socket_url, compression=None, proxy=None) as connection:
        client = ChatClient(connection, conversation_id or str(uuid4()))
        assert (await client.command("hello", protocol=1))["type"] == "welcome"
        yield client
