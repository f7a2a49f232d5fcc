"""Serves one vector store to all nodes of a machine, as a bare ASGI application."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
import structlog
from msgspec import MsgspecError
from msgspec.msgpack import Decoder

from app.infra.qdrant.index_wire import (
    ENCODER,
    FLOATS,
    MEDIA_TYPE,
    Count,
    DeleteDocument,
    PutPoints,
    Search,
    WirePoint,
    WireVectors,
)
from core.errors import StorageUnavailable
from core.ports.vector_store import VectorPoint, VectorStore
from core.vectors import SparseVector, TextVectors

BODY_LIMIT_BYTES = 64 * 1024 * 1024
OK, BAD_REQUEST, NOT_FOUND, TOO_LARGE, UNAVAILABLE = 200, 400, 404, 413, 503

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = Callable[[bytes], Awaitable[object]]

log = structlog.get_logger(__name__)


class IndexApp:
    """Answers what `RemoteVectorStore` asks; see `index_wire`.

    It asks nobody who they are: to be served on the loopback or a Unix socket only.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._answers: dict[str, Answer] = {
            "/put": self._put,
            "/search": self._search,
            "/delete": self._delete,
            "/count": self._count,
        }
        self._put_points = Decoder(PutPoints)
        self._searches = Decoder(Search)
        self._deletions = Decoder(DeleteDocument)
        self._counts = Decoder(Count)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self._answers.get(scope["path"])
        if answer is None:
            await _respond(send, NOT_FOUND)
            return
        body = await _body(receive)
        if body is None:
            await _respond(send, TOO_LARGE)
            return
        try:
            await _respond(send, OK, ENCODER.encode(await answer(body)))
        except (MsgspecError, ValueError):
            await _respond(send, BAD_REQUEST)
        except StorageUnavailable:
            log.exception("index.failed", path=scope["path"])
            await _respond(send, UNAVAILABLE)

    async def _put(self, body: bytes) -> None:
        points = self._put_points.decode(body).points
        await self._store.put([_point_of(point) for point in points])

    async def _search(self, body: bytes) -> object:
        asked = self._searches.decode(body)
        query = _vectors_of(asked.query)
        return await self._store.search(asked.tenant_id, asked.collection_id, query, asked.limit)

    async def _delete(self, body: bytes) -> None:
        asked = self._deletions.decode(body)
        await self._store.delete_document(asked.tenant_id, asked.document_id)

    async def _count(self, body: bytes) -> int:
        asked = self._counts.decode(body)
        return await self._store.count(asked.tenant_id, asked.collection_id)


async def _body(receive: Receive) -> bytes | None:
    """Return the request's body; None where it is too large or broke off."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _respond(send: Send, status: int, body: bytes = b"") -> None:
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _vectors_of(wire: WireVectors) -> TextVectors:
    dense = np.frombuffer(wire.dense, dtype=FLOATS)
    return TextVectors(dense, SparseVector(wire.indices, wire.values))


def _point_of(wire: WirePoint) -> VectorPoint:
    return VectorPoint(
        wire.id,
        wire.tenant_id,
        wire.collection_id,
        wire.document_id,
        wire.passage_id,
        wire.start,
        wire.end,
        _vectors_of(wire.vectors),
    )
