"""Writes a reply to a connection at the pace its script asks for."""

import asyncio
from collections.abc import Callable

from scripts.scripted_model.reply import Reply


class Player:
    """One reply on its way; `on_end` is called once with how the connection goes on.

    Owned by its connection, which pauses, resumes and stops it.
    """

    def __init__(
        self, transport: asyncio.Transport, reply: Reply, on_end: Callable[[str], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._reply = reply
        self._on_end = on_end
        self._due = 0.0
        self._paused = False
        self._timer: asyncio.Handle | None = None

    def start(self) -> None:
        """Begin, after the reply's delay."""
        if self._reply.delay:
            self._timer = self._loop.call_later(self._reply.delay, self._open)
        else:
            self._open()

    def stop(self) -> None:
        """Write nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause(self) -> None:
        """Wait: the client does not read fast enough."""
        self._paused = True
        self.stop()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._due = self._loop.time()
        self._next()

    def _open(self) -> None:
        if self._reply.opening:
            self._transport.write(self._reply.opening)
        self._due = self._loop.time()
        self._next()

    def _write_one(self) -> None:
        data = next(self._reply.writes, None)
        if data is None:
            self._end()
            return
        self._transport.write(data)
        self._next()

    def _next(self) -> None:
        # A write that filled the buffer has called `pause` before it came back.
        if self._paused:
            return
        if self._reply.interval:
            # From due time to due time, so that lateness does not add up.
            self._due += self._reply.interval
            self._timer = self._loop.call_at(self._due, self._write_one)
        else:
            self._timer = self._loop.call_soon(self._write_one)

    def _end(self) -> None:
        self._timer = None
        if self._reply.closing:
            self._transport.write(self._reply.closing)
        self._on_end(self._reply.ends)
