"""Stands on one link as a TCP proxy, and spoils the link as it is told while it runs."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Literal

Mode = Literal["pass", "blackhole", "reset", "delay", "throttle"]

_CHUNK_BYTES = 64 * 1024
_SLICE_SECONDS = 0.05
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Weather:
    """How the link is now.

    mode: `blackhole`: nothing arrives, in neither direction, and nothing is lost once it passes;
        `reset`: every connection breaks; `delay`: each piece is `seconds` late; `throttle`:
        `bytes_per_second` in each direction.
    """

    mode: Mode = "pass"
    seconds: float = 0.0
    bytes_per_second: int = 0


@dataclass(slots=True)
class LostReplies:
    """Which replies vanish, and their connections with them.

    after: only replies to requests that hold these bytes. every: so many of them come through
        before the next is lost. left: how many are still to be lost.
    """

    after: bytes
    every: int
    left: int
    _seen: int = 0

    def takes(self, request: bytes) -> bool:
        """Whether the reply to this request vanishes; counts it."""
        if self.left <= 0 or self.after not in request:
            return False
        self._seen += 1
        if self._seen % self.every:
            return False
        self.left -= 1
        return True


class Proxy:
    """One link. lost: how many replies were swallowed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._weather = Weather()
        self._changed = asyncio.Event()
        self._lost_replies: LostReplies | None = None
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.lost = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        """Break what is open and listen no more; nothing of it goes on afterwards."""
        if self._server is not None:
            self._server.close()
        self.set(Weather("reset"))
        if self._serving:
            await asyncio.wait(self._serving, timeout=_STOP_SECONDS)

    def set(self, weather: Weather) -> None:
        """Change the link from now on, for connections that are open too."""
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.mode == "reset":
            self._break_all()

    def lose_replies(self, lost: LostReplies | None) -> None:
        """Lose replies from now on; None: no more."""
        self._lost_replies = lost

    def _break_all(self) -> None:
        for pair in tuple(self._pairs):
            pair.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        if self._weather.mode == "reset":
            writer.transport.abort()
            return
        try:
            up = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(reader, writer, *up)
        self._pairs.add(pair)
        try:
            # The end of either direction is the end of both.
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump_up(pair))
                both.create_task(self._pump_down(pair))
        except* OSError:
            pass
        finally:
            self._pairs.discard(pair)
            pair.abort()

    async def _pump_up(self, pair: "_Pair") -> None:
        while data := await pair.client_reader.read(_CHUNK_BYTES):
            lost = self._lost_replies
            pair.loses_reply = lost is not None and lost.takes(data)
            await self._carry(data, pair.server_writer)
        raise ConnectionResetError

    async def _pump_down(self, pair: "_Pair") -> None:
        while data := await pair.server_reader.read(_CHUNK_BYTES):
            if pair.loses_reply:
                self.lost += 1
                break
            await self._carry(data, pair.client_writer)
        raise ConnectionResetError

    async def _carry(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Write one piece, as the weather allows."""
        weather = self._weather
        if weather.mode == "delay":
            await asyncio.sleep(weather.seconds)
        while self._weather.mode == "blackhole":
            await self._changed.wait()
        if weather.mode != "throttle":
            writer.write(data)
            await writer.drain()
            return
        step = max(1, int(weather.bytes_per_second * _SLICE_SECONDS))
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            await asyncio.sleep(_SLICE_SECONDS)


class _Pair:
    """The two connections that are one to those who use them."""

    def __init__(
        self,
        client_reader: asyncio.StreamReader,
        client_writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        self.client_reader, self.client_writer = client_reader, client_writer
        self.server_reader, self.server_writer = server_reader, server_writer
        self.loses_reply = False

    def abort(self) -> None:
        """Break both."""
        for writer in (self.client_writer, self.server_writer):
            with contextlib.suppress(OSError):
                writer.transport.abort()
