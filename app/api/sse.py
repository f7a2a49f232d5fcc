"""Server-Sent Events: AG-UI events as they go over HTTP."""

from collections.abc import AsyncIterator, Iterable

from fastapi import Request
from starlette.responses import StreamingResponse

from app.turns.following import NumberedEvent
from core.errors import InvalidRequest
from core.ports.event_log import Cursor

IDLE_SECONDS = 15.0
LAST_EVENT_ID = "Last-Event-ID"
# Nginx buffers a response unless it is told not to.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event_stream(events: AsyncIterator[NumberedEvent | None]) -> StreamingResponse:
    """Return a response that sends events as they come, with a comment when none does."""
    return _response(_lines(events))


def stored_event_stream(events: Iterable[str]) -> StreamingResponse:
    """Return a response that sends events that are all there; they have no cursor."""
    return _response(_stored_lines(events))


def cursor_of(request: Request) -> Cursor | None:
    """Return the place a client goes on from: the id of the last event it has seen.

    Raises `InvalidRequest` where the header is not an id that was sent by us.
    """
    text = request.headers.get(LAST_EVENT_ID, "")
    if not text:
        return None
    epoch, _, sequence = text.rpartition(":")
    if not epoch or not sequence.isascii() or not sequence.isdigit() or len(sequence) > 18:
        raise InvalidRequest(f"{LAST_EVENT_ID} must be an id that this server sent.")
    return Cursor(epoch, int(sequence))


def _response(lines: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(lines, media_type="text/event-stream", headers=HEADERS)


async def _lines(events: AsyncIterator[NumberedEvent | None]) -> AsyncIterator[str]:
    async for event in events:
        if event is None:
            yield ": idle\n\n"
        else:
            yield f"id: {event.cursor.epoch}:{event.cursor.sequence}\ndata: {event.event}\n\n"


async def _stored_lines(events: Iterable[str]) -> AsyncIterator[str]:
    for event in events:
        yield f"data: {event}\n\n"
