"""The port to the index that finds passages by their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from core.ids import CollectionId, DocumentId, PassageId, TenantId
from core.vectors import TextVectors


@dataclass(frozen=True, slots=True)
class VectorPoint:
    """One searchable chunk.

    start, end: where the chunk stands in its passage's text, in characters, end exclusive.
    """

    id: UUID
    tenant_id: TenantId
    collection_id: CollectionId
    document_id: DocumentId
    passage_id: PassageId
    start: int
    end: int
    vectors: TextVectors


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A chunk that one of the two searches found.

    score: dense: cosine, -1..1; sparse: BM25, above 0, no upper bound. Higher is nearer.
    """

    point_id: UUID
    document_id: DocumentId
    passage_id: PassageId
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class VectorHits:
    """What the two searches found, each by falling score."""

    dense: tuple[VectorHit, ...]
    sparse: tuple[VectorHit, ...]


class VectorStore(Protocol):
    """Keeps chunks and finds them; no call can reach another tenant's."""

    async def put(self, points: Sequence[VectorPoint]) -> None:
        """Keep the points; one with an id that is there replaces it. Durable when it returns."""
        ...

    async def search(
        self,
        tenant_id: TenantId,
        collection_id: CollectionId,
        query: TextVectors,
        limit: int,
    ) -> VectorHits:
        """Return at most `limit` dense and `limit` sparse hits of one collection."""
        ...

    async def delete_document(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """Forget a document's chunks; nothing happens where there are none."""
        ...

    async def count(self, tenant_id: TenantId, collection_id: CollectionId) -> int:
        """Return how many chunks a collection has."""
        ...

    async def close(self) -> None:
        """Write what is pending and let go; no call may follow."""
        ...
