"""The vector store in the index process of this machine."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from app.infra.qdrant.index_wire import (
    ENCODER,
    HITS,
    MEDIA_TYPE,
    NUMBER,
    Count,
    DeleteDocument,
    PutPoints,
    Search,
    wire_point,
    wire_vectors,
)
from app.infra.qdrant.scope import collection_scope, document_scope
from core.errors import StorageUnavailable
from core.ids import CollectionId, DocumentId, TenantId
from core.ports.vector_store import VectorHits, VectorPoint
from core.vectors import TextVectors

if TYPE_CHECKING:
    import httpx

PUT_BATCH = 256
TIMEOUT_SECONDS = 10.0
CONNECTIONS = 16
# An index process that is started again is waited for so long.
PATIENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.1
UNIX = "unix:"


class RemoteVectorStore:
    """See `VectorStore`. Every call has a deadline, and may be sent twice: it does no harm."""

    def __init__(self, client: "httpx.AsyncClient") -> None:
        self._client = client

    @classmethod
    def connect(cls, url: str) -> Self:
        """Return the store at `url`: `http://127.0.0.1:port` or `unix:/path`. Nothing is sent."""
        # Deferred: a server with an index of its own does without it.
        import httpx

        path = url.removeprefix(UNIX) if url.startswith(UNIX) else None
        limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=60)
        return cls(
            httpx.AsyncClient(
                base_url="http://index" if path else url,
                # No proxy of the environment: the index is on this machine.
                transport=httpx.AsyncHTTPTransport(uds=path, limits=limits, trust_env=False),
                headers={"content-type": MEDIA_TYPE},
                timeout=TIMEOUT_SECONDS,
            )
        )

    async def put(self, points: Sequence[VectorPoint]) -> None:
        """See `VectorStore`."""
        for first in range(0, len(points), PUT_BATCH):
            batch = [wire_point(point) for point in points[first : first + PUT_BATCH]]
            await self._ask("/put", PutPoints(batch))

    async def search(
        self, tenant_id: TenantId, collection_id: CollectionId, query: TextVectors, limit: int
    ) -> VectorHits:
        """See `VectorStore`."""
        collection_scope(tenant_id, collection_id)
        asked = Search(tenant_id, collection_id, wire_vectors(query), limit)
        return HITS.decode(await self._ask("/search", asked))

    async def delete_document(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """See `VectorStore`."""
        document_scope(tenant_id, document_id)
        await self._ask("/delete", DeleteDocument(tenant_id, document_id))

    async def count(self, tenant_id: TenantId, collection_id: CollectionId) -> int:
        """See `VectorStore`."""
        collection_scope(tenant_id, collection_id)
        return NUMBER.decode(await self._ask("/count", Count(tenant_id, collection_id)))

    async def close(self) -> None:
        """See `VectorStore`."""
        await self._client.aclose()

    async def _ask(self, path: str, arguments: object) -> bytes:
        import httpx

        body = ENCODER.encode(arguments)
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._client.post(path, content=body)
                break
            except httpx.TransportError as error:
                if isinstance(error, httpx.TimeoutException) or clock() >= give_up_at:
                    raise StorageUnavailable("The vector store could not be used.") from error
            await asyncio.sleep(PAUSE_SECONDS)
        if answer.status_code != httpx.codes.OK:
            raise StorageUnavailable("The vector store could not be used.")
        return answer.content
