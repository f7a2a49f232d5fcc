"""The vector store behind a Qdrant server, cluster or cloud."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from app.infra.qdrant.payload import (
    COLLECTION,
    DENSE,
    DOCUMENT,
    FIELDS_IN_HITS,
    SPARSE,
    TENANT,
    hit_of,
    payload_of,
)
from app.infra.qdrant.scope import Scope, collection_scope, document_scope
from core.errors import StorageUnavailable
from core.ids import CollectionId, DocumentId, TenantId
from core.ports.vector_store import VectorHit, VectorHits, VectorPoint
from core.vectors import TextVectors

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient, models

PUT_BATCH = 256
TIMEOUT_SECONDS = 10


class QdrantVectorStore:
    """See `VectorStore`. One collection of the server holds all tenants' chunks.

    It is made at the first call, so that a server that is down does not keep this one from
    starting. Every call has a deadline of `TIMEOUT_SECONDS`. Made for Qdrant 1.19 and newer, which
    count a word's rarity within a filter.
    """

    def __init__(
        self, client: "AsyncQdrantClient", collection: str = "colloquy", dimension: int = 384
    ) -> None:
        self._client = client
        self._collection = collection
        self._dimension = dimension
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    @classmethod
    def connect(cls, url: str, api_key: str, dimension: int = 384) -> Self:
        """Return the store at `url`; `api_key` may be empty. Nothing is sent yet."""
        # Deferred: importing the client takes 0.6 s, and the embedded store does without it.
        from qdrant_client import AsyncQdrantClient

        client = AsyncQdrantClient(
            url=url,
            api_key=api_key or None,
            timeout=TIMEOUT_SECONDS,
            # It would ask the server in a thread of its own, while we start.
            check_compatibility=False,
        )
        return cls(client, dimension=dimension)

    async def put(self, points: Sequence[VectorPoint]) -> None:
        """See `VectorStore`."""
        await self._prepare()
        for first in range(0, len(points), PUT_BATCH):
            batch = [_point_of(point) for point in points[first : first + PUT_BATCH]]
            with _translated():
                await self._client.upsert(self._collection, batch, wait=True)

    async def search(
        self, tenant_id: TenantId, collection_id: CollectionId, query: TextVectors, limit: int
    ) -> VectorHits:
        """See `VectorStore`."""
        scope = collection_scope(tenant_id, collection_id)
        requests = _searches(scope, query, limit)
        await self._prepare()
        with _translated():
            dense, sparse = await self._client.query_batch_points(self._collection, requests)
        return VectorHits(_hits_of(scope, dense.points), _hits_of(scope, sparse.points))

    async def delete_document(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """See `VectorStore`."""
        from qdrant_client import models

        within = _filter(document_scope(tenant_id, document_id))
        await self._prepare()
        with _translated():
            await self._client.delete(
                self._collection, models.FilterSelector(filter=within), wait=True
            )

    async def count(self, tenant_id: TenantId, collection_id: CollectionId) -> int:
        """See `VectorStore`."""
        within = _filter(collection_scope(tenant_id, collection_id))
        await self._prepare()
        with _translated():
            return (await self._client.count(self._collection, within, exact=True)).count

    async def close(self) -> None:
        """See `VectorStore`."""
        with _translated():
            await self._client.close()

    async def _prepare(self) -> None:
        if self._is_prepared:
            return
        async with self._preparing:
            if self._is_prepared:
                return
            with _translated():
                await self._make_collection()
                await self._index_fields()
            self._is_prepared = True

    async def _make_collection(self) -> None:
        from qdrant_client import models
        from qdrant_client.http.exceptions import UnexpectedResponse

        if await self._client.collection_exists(self._collection):
            return
        dense = models.VectorParams(size=self._dimension, distance=models.Distance.COSINE)
        sparse = models.SparseVectorParams(modifier=models.Modifier.IDF)
        try:
            await self._client.create_collection(
                self._collection,
                vectors_config={DENSE: dense},
                sparse_vectors_config={SPARSE: sparse},
                # No search crosses tenants: one graph for each, none over all.
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
        except UnexpectedResponse:
            # Another node may have been first.
            if not await self._client.collection_exists(self._collection):
                raise

    async def _index_fields(self) -> None:
        from qdrant_client import models

        for field in (TENANT, COLLECTION, DOCUMENT):
            schema = models.KeywordIndexParams(
                type=models.KeywordIndexType.KEYWORD, is_tenant=field == TENANT
            )
            await self._client.create_payload_index(self._collection, field, schema, wait=True)


def _searches(scope: Scope, query: TextVectors, limit: int) -> "list[models.QueryRequest]":
    from qdrant_client import models

    within = _filter(scope)
    # How rare a word is, is counted in this collection only: other tenants' texts must not show
    # in the scores, and another collection's words say nothing about this one's.
    rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=within))
    return [
        models.QueryRequest(
            query=query.dense.tolist(),
            using=DENSE,
            filter=within,
            limit=limit,
            with_payload=FIELDS_IN_HITS,
        ),
        models.QueryRequest(
            query=_sparse_of(query),
            using=SPARSE,
            filter=within,
            limit=limit,
            with_payload=FIELDS_IN_HITS,
            params=rarity,
        ),
    ]


def _filter(scope: Scope) -> "models.Filter":
    from qdrant_client import models

    return models.Filter(
        must=[
            models.FieldCondition(key=key, match=models.MatchValue(value=value))
            for key, value in scope.fields
        ]
    )


def _hits_of(scope: Scope, points: "Sequence[models.ScoredPoint]") -> tuple[VectorHit, ...]:
    hits = []
    for point in points:
        payload = point.payload or {}
        scope.check(payload)
        hits.append(hit_of(point.id, payload, point.score))
    return tuple(hits)


def _point_of(point: VectorPoint) -> "models.PointStruct":
    from qdrant_client import models

    vectors: models.VectorStruct = {
        DENSE: point.vectors.dense.tolist(),
        SPARSE: _sparse_of(point.vectors),
    }
    return models.PointStruct(id=str(point.id), vector=vectors, payload=dict(payload_of(point)))


def _sparse_of(vectors: TextVectors) -> "models.SparseVector":
    from qdrant_client import models

    return models.SparseVector(
        indices=list(vectors.sparse.indices), values=list(vectors.sparse.values)
    )


@contextmanager
def _translated() -> Iterator[None]:
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException

    try:
        yield
    except (ApiException, QdrantException) as error:
        raise StorageUnavailable("The vector store could not be used.") from error
