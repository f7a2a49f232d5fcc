"""A client of the WebSocket that comes back whatever happens, and writes every frame down."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from math import inf
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.driver.backoff import UNCLEAN, after_close
from scripts.chaos.driver.talk import Ask, Talk
from scripts.chaos.history import HistoryWriter, Json

OPEN_SECONDS = 3.0
# The server's beat is 2 s: more than two of them missed.
SILENCE_SECONDS = 5.0


class Refused(Exception):
    """The server closed with a code that says: do not come back."""


class Client:
    """One client on one conversation; `run` keeps it connected until cancelled."""

    def __init__(
        self,
        name: str,
        addresses: Addresses,
        history: HistoryWriter,
        chance: random.Random,
        conversation_id: str | None = None,
    ) -> None:
        self.name = name
        self.talk = Talk(conversation_id or str(uuid4()), exists=conversation_id is not None)
        self._addresses = addresses
        self._history = history
        self._chance = chance
        self._changed = asyncio.Event()
        self._connection: ClientConnection | None = None
        self._number = 0

    async def run(self) -> None:
        """Connect, follow and come back. Raises `Refused` where it must not."""
        attempt = 0
        while True:
            url = self._addresses.pick()
            code, was_welcome = await self._connect(url)
            attempt = 0 if was_welcome else attempt + 1
            pause = after_close(code, max(0, attempt - 1), self._chance.random()).seconds
            if pause is None:
                raise Refused(f"{self.name} was closed with {code}")
            self._addresses.avoid(url)
            await asyncio.sleep(max(pause, self.talk.return_after or 0.0))

    def prepare(self, text: str, on_busy: str = "reject") -> Ask:
        """Return a question that is not asked yet."""
        return Ask(str(uuid4()), str(uuid4()), text, on_busy)

    def prepare_answers(self, resume: Sequence[Json]) -> Ask:
        """Return the run that brings answers to questions; it is not asked for yet."""
        return Ask(str(uuid4()), "", "", resume=resume)

    @property
    def is_live(self) -> bool:
        """Whether it is connected and follows its conversation."""
        return self._connection is not None and self.talk.is_live

    async def ask(self, ask: Ask, seconds: float) -> Ask:
        """Ask, and return when the run is over, or after so many seconds as it is then."""
        self.talk.asks[ask.run_id] = ask
        await self._send_all(self.talk.owed())
        await self.until(lambda: ask.is_over, seconds)
        return ask

    async def cancel(self, run_id: str) -> None:
        """Ask for a run's end."""
        self.talk.cancels.append(run_id)
        await self._send_all(self.talk.owed())

    async def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something about the talk is so; False where it is not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _connect(self, url: str) -> tuple[int, bool]:
        """Stay connected as long as it lasts; return its close code and if there was a welcome."""
        try:
            async with connect(
                url, compression=None, proxy=None, open_timeout=OPEN_SECONDS, close_timeout=1,
                ping_interval=None, max_size=None,
            ) as connection:  # fmt: skip
                return await self._stay(connection, url)
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, ConnectionClosed):
            return UNCLEAN, False

    async def _stay(self, connection: ClientConnection, url: str) -> tuple[int, bool]:
        self._number = self._history.opened(self.name, url)
        self._connection = connection
        code = UNCLEAN
        try:
            await self._send_all(self.talk.opened())
            await self._read(connection, url)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else UNCLEAN
        except TimeoutError:
            # Nobody is there any more; a closing handshake would be waited for in vain.
            connection.transport.abort()
        finally:
            self._connection = None
            self._changed.set()
            self._history.closed(self.name, self._number, code)
        return code, self.talk.is_welcome

    async def _read(self, connection: ClientConnection, url: str) -> None:
        now = asyncio.get_running_loop().time
        silent_at, retry_at = now() + SILENCE_SECONDS, inf
        while True:
            try:
                async with asyncio.timeout_at(min(silent_at, retry_at)):
                    text = str(await connection.recv())
            except TimeoutError:
                if now() >= silent_at:
                    raise
                retry_at = inf
                await self._send_all(self.talk.retry())
                continue
            silent_at = now() + SILENCE_SECONDS
            await self._take(text, url)
            if self.talk.pause is not None and retry_at == inf:
                retry_at = now() + self.talk.pause

    async def _take(self, text: str, url: str) -> None:
        self._history.received(self.name, self._number, text)
        frame = json.loads(text)
        frames = self.talk.heard(frame)
        if frame["type"] == "welcome":
            self._addresses.restore(url)
        elif frame["type"] == "going_away":
            self._addresses.avoid(url)
        self._changed.set()
        await self._send_all(frames)

    async def _send_all(self, frames: list[str]) -> None:
        for text in frames:
            if self._connection is None:
                return
            self._history.sent(self.name, self._number, text)
            try:
                await self._connection.send(text)
            except ConnectionClosed:
                # The reader notices, and all that was not answered is asked again.
                return
