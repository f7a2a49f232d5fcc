"""A client that commands and waits, for measurements that count what a server spends."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from scripts.bench.client_socket import ClientSocket, open_socket

WAIT_SECONDS: Final = 60.0


class Caller:
    """One socket: sends commands, and hands out what comes back in order."""

    def __init__(self, url: str, conversation_id: str) -> None:
        self._url = url
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._socket: ClientSocket | None = None
        self.conversation_id = conversation_id

    async def open(self) -> None:
        """Connect and say hello."""
        self._socket = await open_socket(self._url, self._take, self._lost)
        await self.command("hello", protocol=1)

    async def command(self, kind: str, **fields: object) -> dict[str, Any]:
        """Send a command and return its answer."""
        assert self._socket is not None
        self._socket.send_text(json.dumps({"type": kind, "id": kind, **fields}))
        return await self.until(lambda frame: frame.get("id") == kind)

    async def ask(self, question: str) -> None:
        """Send a message."""
        message = {"id": str(uuid4()), "role": "user", "content": question}
        run = {"run_id": str(uuid4()), "conversation_id": self.conversation_id}
        await self.command("run", **run, input={"messages": [message]})

    async def subscribe(self, after: dict[str, object] | None = None) -> dict[str, Any]:
        """Follow the conversation, after a cursor where one is given."""
        more = {"after": after} if after else {}
        return await self.command("subscribe", conversation_id=self.conversation_id, **more)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next frame that is wanted."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame = await self._frames.get()
                if wanted(frame):
                    return frame

    def close(self) -> None:
        """Hang up."""
        assert self._socket is not None
        self._socket.close()

    def _take(self, payload: bytes, received_ns: int) -> None:
        self._frames.put_nowait(json.loads(payload))

    def _lost(self, reason: str) -> None:
        self._frames.put_nowait({"type": "lost", "id": "lost"})


def has_ended(frame: dict[str, Any]) -> bool:
    """Whether a frame brings the last event of a run."""
    return any(event["type"] == "RUN_FINISHED" for event in frame.get("events", ()))
