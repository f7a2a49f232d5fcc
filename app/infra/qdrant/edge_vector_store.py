"""The vector store inside this process: Qdrant Edge, one folder."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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
from core.errors import SettingsError, StorageUnavailable
from core.ids import CollectionId, DocumentId, TenantId
from core.ports.vector_store import VectorHit, VectorHits, VectorPoint
from core.vectors import TextVectors

if TYPE_CHECKING:
    import qdrant_edge

# One write of 32 points holds the interpreter for 1 to 2 ms; 100 points for 3 to 5 (measured).
PUT_BATCH = 32
# What was not flushed is replayed from the write-ahead log when the folder is opened, at 65 µs a
# point; a flush stops everything for 20 to 50 ms (measured). So it is done rarely.
FLUSH_AFTER_POINTS = 4096


class EdgeVectorStore:
    """See `VectorStore`. Every call holds the interpreter while it lasts: a search 2 to 5 ms.

    So a thread would not free the event loop, and a thread that outlives a cancelled call could
    write what was just deleted: the calls are made on the loop, writes in small batches with room
    for others in between. The engine's `optimize()` stops the process for seconds and is never
    called: filtered searches of 100,000 points take 4 ms without it.
    """

    def __init__(self, shard: "qdrant_edge.EdgeShard") -> None:
        self._shard = shard
        self._unflushed_points = 0

    @classmethod
    def open(cls, folder: Path, dimension: int = 384) -> Self:
        """Open the store in `folder`, or make it. Blocks for 0.1 s and more.

        Raises `SettingsError` while another process has it open, or where it can't be read.
        """
        return cls(_open_shard(folder, dimension))

    async def put(self, points: Sequence[VectorPoint]) -> None:
        """See `VectorStore`. Durable through a crash of the process, not of the machine."""
        # Deferred: the library is 35 MB, and not every server uses it.
        from qdrant_edge import UpdateOperation

        for first in range(0, len(points), PUT_BATCH):
            batch = [_point_of(point) for point in points[first : first + PUT_BATCH]]
            with _translated():
                self._shard.update(UpdateOperation.upsert_points(batch))
            self._flush_after(len(batch))
            await asyncio.sleep(0)

    async def search(
        self, tenant_id: TenantId, collection_id: CollectionId, query: TextVectors, limit: int
    ) -> VectorHits:
        """See `VectorStore`."""
        scope = collection_scope(tenant_id, collection_id)
        request = _searches(scope, query, limit)
        with _translated():
            dense, sparse = self._shard.query_batch(request)
        return VectorHits(_hits_of(scope, dense), _hits_of(scope, sparse))

    async def delete_document(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """See `VectorStore`."""
        from qdrant_edge import UpdateOperation

        within = _filter(document_scope(tenant_id, document_id))
        with _translated():
            self._shard.update(UpdateOperation.delete_points_by_filter(within))

    async def count(self, tenant_id: TenantId, collection_id: CollectionId) -> int:
        """See `VectorStore`."""
        from qdrant_edge import CountRequest

        within = _filter(collection_scope(tenant_id, collection_id))
        with _translated():
            return self._shard.count(CountRequest(exact=True, filter=within))

    async def close(self) -> None:
        """See `VectorStore`."""
        with _translated():
            self._shard.flush()
            self._shard.close()

    def _flush_after(self, points: int) -> None:
        self._unflushed_points += points
        if self._unflushed_points >= FLUSH_AFTER_POINTS:
            with _translated():
                self._shard.flush()
            self._unflushed_points = 0


def _searches(scope: Scope, query: TextVectors, limit: int) -> "qdrant_edge.QueryBatchRequest":
    from qdrant_edge import (
        IdfParams,
        Query,
        QueryBatchRequest,
        QueryRequest,
        SearchParams,
    )

    within = _filter(scope)
    # How rare a word is, is counted in this collection only: other tenants' texts must not show
    # in the scores, and another collection's words say nothing about this one's.
    rarity = SearchParams(idf=IdfParams(corpus=within))
    dense = Query.Nearest(query.dense.tolist(), using=DENSE)
    sparse = Query.Nearest(_sparse_of(query), using=SPARSE)
    return QueryBatchRequest(
        [
            QueryRequest(limit, query=dense, filter=within, with_payload=FIELDS_IN_HITS),
            QueryRequest(
                limit, query=sparse, filter=within, with_payload=FIELDS_IN_HITS, params=rarity
            ),
        ]
    )


def _filter(scope: Scope) -> "qdrant_edge.Filter":
    from qdrant_edge import FieldCondition, Filter, MatchValue

    return Filter(
        must=[FieldCondition(key, match=MatchValue(value)) for key, value in scope.fields]
    )


def _hits_of(scope: Scope, points: "Sequence[qdrant_edge.ScoredPoint]") -> tuple[VectorHit, ...]:
    hits = []
    for point in points:
        payload = point.payload or {}
        scope.check(payload)
        hits.append(hit_of(point.id, payload, point.score))
    return tuple(hits)


def _point_of(point: VectorPoint) -> "qdrant_edge.Point":
    from qdrant_edge import Point

    vectors = {DENSE: point.vectors.dense.tolist(), SPARSE: _sparse_of(point.vectors)}
    return Point(point.id, vectors, payload_of(point))


def _sparse_of(vectors: TextVectors) -> "qdrant_edge.SparseVector":
    from qdrant_edge import SparseVector

    return SparseVector(list(vectors.sparse.indices), list(vectors.sparse.values))


def _open_shard(folder: Path, dimension: int) -> "qdrant_edge.EdgeShard":
    from qdrant_edge import EdgeShard

    folder.mkdir(parents=True, exist_ok=True)
    is_new = not (folder / "edge_config.json").exists()
    opened = EdgeShard.create if is_new else EdgeShard.load
    try:
        shard = opened(str(folder), _config(dimension))
        _index_fields(shard)
    except Exception as error:  # The engine raises nothing more exact.
        raise SettingsError(_sentence(error)) from error
    return shard


def _config(dimension: int) -> "qdrant_edge.EdgeConfig":
    from qdrant_edge import (
        Distance,
        EdgeConfig,
        EdgeSparseVectorParams,
        EdgeVectorParams,
        Modifier,
    )

    return EdgeConfig(
        vectors={DENSE: EdgeVectorParams(dimension, Distance.Cosine)},
        sparse_vectors={SPARSE: EdgeSparseVectorParams(modifier=Modifier.Idf)},
        # Without the log a crash loses everything since the last flush, and nothing keeps a
        # second process out.
        wal_enabled=True,
    )


def _index_fields(shard: "qdrant_edge.EdgeShard") -> None:
    from qdrant_edge import KeywordIndexParams, UpdateOperation

    there = shard.info().payload_schema
    for field in (TENANT, COLLECTION, DOCUMENT):
        if field not in there:
            schema = KeywordIndexParams(is_tenant=field == TENANT)
            shard.update(UpdateOperation.create_field_index(field, schema))


def _sentence(error: Exception) -> str:
    # The lock of the write-ahead log is taken; the engine tells it in this word only.
    if "WouldBlock" in str(error):
        return "DATA_DIR: the vectors there are in use by another server; one at a time can be."
    return "DATA_DIR: the vectors there can't be opened; they are damaged or of another model."


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # The engine raises nothing more exact.
        raise StorageUnavailable("The vector store could not be used.") from error
