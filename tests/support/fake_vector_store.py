"""A vector store in a dictionary that looks at every point."""

from collections.abc import Sequence
from math import log
from uuid import UUID

from core.ids import CollectionId, DocumentId, TenantId
from core.ports.vector_store import VectorHit, VectorHits, VectorPoint
from core.vectors import SparseVector, TextVectors


class FakeVectorStore:
    """See `VectorStore`."""

    def __init__(self) -> None:
        self._points: dict[UUID, VectorPoint] = {}

    async def put(self, points: Sequence[VectorPoint]) -> None:
        self._points.update({point.id: point for point in points})

    async def search(
        self, tenant_id: TenantId, collection_id: CollectionId, query: TextVectors, limit: int
    ) -> VectorHits:
        if not tenant_id or not collection_id:
            raise ValueError("a search without its tenant or collection")
        points = self._within(tenant_id, collection_id)
        rarity = _rarity(query.sparse, points)
        dense = [_hit(point, float(query.dense @ point.vectors.dense)) for point in points]
        sparse = [_hit(point, _overlap(rarity, point.vectors.sparse)) for point in points]
        return VectorHits(
            _best(dense, limit), _best([hit for hit in sparse if hit.score > 0], limit)
        )

    async def delete_document(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        self._points = {
            point.id: point
            for point in self._points.values()
            if (point.tenant_id, point.document_id) != (tenant_id, document_id)
        }

    async def count(self, tenant_id: TenantId, collection_id: CollectionId) -> int:
        return len(self._within(tenant_id, collection_id))

    async def close(self) -> None:
        self._points = {}

    def _within(self, tenant_id: TenantId, collection_id: CollectionId) -> list[VectorPoint]:
        return [
            point
            for point in self._points.values()
            if (point.tenant_id, point.collection_id) == (tenant_id, collection_id)
        ]


def _rarity(query: SparseVector, points: Sequence[VectorPoint]) -> dict[int, float]:
    """Return the query's weights times how rare each term is among the points (BM25's formula)."""
    weights = {}
    for term, weight in zip(query.indices, query.values, strict=True):
        having = sum(term in point.vectors.sparse.indices for point in points)
        weights[term] = weight * log(1 + (len(points) - having + 0.5) / (having + 0.5))
    return weights


def _overlap(weights: dict[int, float], sparse: SparseVector) -> float:
    pairs = zip(sparse.indices, sparse.values, strict=True)
    return sum(weights.get(term, 0.0) * value for term, value in pairs)


def _hit(point: VectorPoint, score: float) -> VectorHit:
    return VectorHit(point.id, point.document_id, point.passage_id, point.start, point.end, score)


def _best(hits: Sequence[VectorHit], limit: int) -> tuple[VectorHit, ...]:
    return tuple(sorted(hits, key=lambda hit: -hit.score)[:limit])
