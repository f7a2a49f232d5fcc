"""Takes the response to one streaming request and says when it begins and when it is over."""

import asyncio
from typing import Final

import structlog

from app.infra.llm.http_connection import ResponseHead
from app.infra.llm.provider_faults import broken_off, refused
from app.infra.llm.reply_reader import ReplyReader

_log = structlog.get_logger(__name__)

_ERROR_MAX_BYTES: Final = 64 * 1024
_WHOLE_MAX_BYTES: Final = 16 * 1024 * 1024


class StaleConnection(Exception):
    """The connection had been closed by the server before it read the request."""


class StreamedReply:
    """A `Receiver` that feeds a `ReplyReader`.

    begun: done with the first token or piece of a call, or with whatever ended the reply before.
    ended: done with None when the reply is whole, else with what went wrong: an `AppError`, a
        `StaleConnection`, or what the sink raised. It holds the error as a value, because nobody
        may be left to take it.
    heard_at: loop time of the last piece of the reply.
    """

    def __init__(self, reader: ReplyReader) -> None:
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[Exception | None] = self._loop.create_future()
        self.heard_at = 0.0
        self._reader = reader
        self._head: ResponseHead | None = None
        self._is_stream = False
        self._body = bytearray()

    def head(self, head: ResponseHead) -> None:
        """See `Receiver`."""
        self._head = head
        # Some servers call the stream something else; only JSON is certain not to be one.
        is_json = head.headers.get(b"content-type", b"").startswith(b"application/json")
        self._is_stream = head.status == 200 and not is_json

    def body(self, data: bytes) -> None:
        """See `Receiver`."""
        if self.ended.done():
            return
        if not self._is_stream:
            self._keep(data)
            return
        try:
            self._reader.feed(data)
        except Exception as error:  # a bug of the sink is the awaiting turn's, not the loop's
            self._finish(error)
            return
        if self._reader.started:
            self.heard_at = self._loop.time()
            if not self.begun.done():
                self.begun.set_result(None)
        if self._reader.finished:
            self._finish(None)

    def end(self) -> None:
        """See `Receiver`."""
        if self.ended.done():
            return
        try:
            self._read_whole()
        except Exception as error:  # as in `body`
            self._finish(error)
        else:
            self._finish(None)

    def lost(self, *, is_stale: bool) -> None:
        """See `Receiver`."""
        self._finish(StaleConnection() if is_stale else broken_off())

    def _read_whole(self) -> None:
        head = self._head
        if head is None or head.status != 200:
            # At DEBUG, because the server may quote the prompt or the key.
            _log.debug("model.refused", status=head and head.status, body=bytes(self._body))
            raise refused(head.status if head else 502, bytes(self._body), _retry_after(head))
        if not self._is_stream:
            self._reader.feed_whole(bytes(self._body))
        self._reader.end()

    def _keep(self, data: bytes) -> None:
        is_error = self._head is None or self._head.status != 200
        room = (_ERROR_MAX_BYTES if is_error else _WHOLE_MAX_BYTES) - len(self._body)
        self._body += data[:room]

    def _finish(self, error: Exception | None) -> None:
        if self.ended.done():
            return
        self.ended.set_result(error)
        if not self.begun.done():
            self.begun.set_result(None)


def _retry_after(head: ResponseHead | None) -> float | None:
    """Return the seconds of `Retry-After`; its other form, a date, is not worth a clock."""
    value = head.headers.get(b"retry-after", b"") if head else b""
    try:
        return max(0.0, float(value))
    except ValueError:
        return None
