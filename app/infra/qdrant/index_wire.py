"""What a node and the index process say to each other: MessagePack, vectors as raw float32.

POST /put      PutPoints       -> nothing
POST /search   Search          -> VectorHits
POST /delete   DeleteDocument  -> nothing
POST /count    Count           -> a number
"""

from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from core.ids import CollectionId, DocumentId, PassageId, TenantId
from core.ports.vector_store import VectorHits, VectorPoint
from core.vectors import TextVectors

FLOATS: Final = "<f4"
MEDIA_TYPE: Final = "application/msgpack"
ENCODER: Final = Encoder(uuid_format="bytes")


class WireVectors(Struct, array_like=True):
    """See `TextVectors`. dense: little-endian float32."""

    dense: bytes
    indices: tuple[int, ...]
    values: tuple[float, ...]


class WirePoint(Struct, array_like=True):
    """See `VectorPoint`."""

    id: UUID
    tenant_id: TenantId
    collection_id: CollectionId
    document_id: DocumentId
    passage_id: PassageId
    start: int
    end: int
    vectors: WireVectors


class PutPoints(Struct, array_like=True):
    """The arguments of `VectorStore.put`."""

    points: list[WirePoint]


class Search(Struct, array_like=True):
    """The arguments of `VectorStore.search`."""

    tenant_id: TenantId
    collection_id: CollectionId
    query: WireVectors
    limit: int


class DeleteDocument(Struct, array_like=True):
    """The arguments of `VectorStore.delete_document`."""

    tenant_id: TenantId
    document_id: DocumentId


class Count(Struct, array_like=True):
    """The arguments of `VectorStore.count`."""

    tenant_id: TenantId
    collection_id: CollectionId


HITS: Final = Decoder(VectorHits)
NUMBER: Final = Decoder(int)


def wire_vectors(vectors: TextVectors) -> WireVectors:
    """Return vectors as they are sent."""
    dense = vectors.dense.astype(FLOATS).tobytes()
    return WireVectors(dense, vectors.sparse.indices, vectors.sparse.values)


def wire_point(point: VectorPoint) -> WirePoint:
    """Return a point as it is sent."""
    return WirePoint(
        point.id,
        point.tenant_id,
        point.collection_id,
        point.document_id,
        point.passage_id,
        point.start,
        point.end,
        wire_vectors(point.vectors),
    )
