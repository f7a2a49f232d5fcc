"""Carries one request at a time over one HTTP/1.1 connection.

A `Protocol` and not streams: what a read brought is parsed and handed on in the same call, with
no task switch between the network and the run's sink.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httptools

_DRAIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """What counts of a response's head. Header names are in lower case."""

    status: int
    headers: dict[bytes, bytes]


class Receiver(Protocol):
    """Takes a response while it comes; no call may block or raise."""

    def head(self, head: ResponseHead) -> None:
        """Take the head."""
        ...

    def body(self, data: bytes) -> None:
        """Take what one read brought of the body."""
        ...

    def end(self) -> None:
        """Learn that the body is whole."""
        ...

    def lost(self, *, is_stale: bool) -> None:
        """Learn that the connection broke before the end.

        is_stale: it had been used before and broke before the first byte of this response: the
        server had closed it, and never read the request.
        """
        ...


class HttpConnection(asyncio.Protocol):
    """A connection to a server; `on_free` is called each time it can take another request."""

    def __init__(self, on_free: Callable[["HttpConnection"], None]) -> None:
        self._on_free = on_free
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._headers: dict[bytes, bytes] = {}
        self._status = 0
        self._body: list[bytes] = []
        self._is_complete = False
        self._is_reusable = False
        self._has_answered = False
        self._exchanges = 0
        self._drain: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still be used, as far as one can know."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: bytes, receiver: Receiver) -> None:
        """Send a whole request; the response goes to `receiver`."""
        assert self._transport is not None
        assert self._receiver is None, "the last response is not whole"
        self._receiver = receiver
        self._has_answered = False
        self._exchanges += 1
        self._transport.write(request)

    def abort(self) -> None:
        """Break the connection; its receiver hears nothing more."""
        self._receiver = None
        if self._transport is not None:
            self._transport.abort()

    def abandon(self, receiver: Receiver) -> None:
        """Break the connection, unless `receiver` has the whole response.

        By then the connection may be busy with another request, which is left alone.
        """
        if self._receiver is receiver:
            self.abort()

    def leave(self, receiver: Receiver) -> None:
        """Say that `receiver` has all it needs.

        The connection is used again if the rest of the response, a few bytes as a rule, comes
        within a second.
        """
        if self._receiver is receiver:
            loop = asyncio.get_running_loop()
            self._drain = loop.call_later(_DRAIN_SECONDS, self.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what one read brought and hand it on; the parser calls the `on_` methods."""
        receiver = self._receiver
        if receiver is None:
            # Nothing was asked for: whatever this is, the connection is of no more use.
            self.abort()
            return
        self._has_answered = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()
            receiver.lost(is_stale=False)
            return
        body = self._body
        if body:
            whole = body[0] if len(body) == 1 else b"".join(body)
            body.clear()
            receiver.body(whole)
        if self._is_complete:
            self._finish(receiver)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the receiver, unless the end of the connection is the end of the body."""
        self._transport = None
        # The parser and its protocol hold each other; with the collector tuned down, cut it here.
        del self._parser
        receiver, self._receiver = self._receiver, None
        self._stop_draining()
        if receiver is None:
            return
        if error is None and self._status and self._ends_with_connection():
            receiver.end()
        else:
            receiver.lost(is_stale=self._exchanges > 1 and not self._has_answered)

    def on_message_begin(self) -> None:
        """Forget the last response."""
        self._headers = {}
        self._status = 0
        self._is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Hand the head on."""
        self._status = self._parser.get_status_code()
        if self._receiver is not None and self._status >= 200:
            self._receiver.head(ResponseHead(self._status, self._headers))

    def on_body(self, body: bytes) -> None:
        """Gather the body: a read may bring several chunks of it."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Note the end; a response of 1xx comes before the real one."""
        self._is_complete = self._status >= 200
        # Only here does the parser know.
        self._is_reusable = self._parser.should_keep_alive()

    def _finish(self, receiver: Receiver) -> None:
        self._receiver = None
        self._is_complete = False
        self._stop_draining()
        self._status = 0
        receiver.end()
        if self._is_reusable and self.is_open:
            self._on_free(self)
        elif self._transport is not None:
            self._transport.close()

    def _ends_with_connection(self) -> bool:
        return not (b"content-length" in self._headers or b"transfer-encoding" in self._headers)

    def _stop_draining(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None
