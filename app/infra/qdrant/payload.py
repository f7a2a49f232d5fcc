"""What is stored beside each point's vectors, the same in both stores."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from core.ids import DocumentId, PassageId
from core.ports.vector_store import VectorHit, VectorPoint

DENSE: Final = "dense"
SPARSE: Final = "sparse"

TENANT: Final = "tenant"
COLLECTION: Final = "collection"
DOCUMENT: Final = "document"
PASSAGE: Final = "passage"
START: Final = "start"
END: Final = "end"

FIELDS_IN_HITS: Final = [TENANT, COLLECTION, DOCUMENT, PASSAGE, START, END]
"""What a search gives back with each point."""


def payload_of(point: VectorPoint) -> dict[str, str | int]:
    """Return what a point carries beside its vectors."""
    return {
        TENANT: point.tenant_id,
        COLLECTION: point.collection_id,
        DOCUMENT: point.document_id,
        PASSAGE: point.passage_id,
        START: point.start,
        END: point.end,
    }


def hit_of(point_id: object, payload: Mapping[str, Any], score: float) -> VectorHit:
    """Return a search's hit from what the engine gave."""
    return VectorHit(
        point_id=point_id if isinstance(point_id, UUID) else UUID(str(point_id)),
        document_id=DocumentId(payload[DOCUMENT]),
        passage_id=PassageId(payload[PASSAGE]),
        start=payload[START],
        end=payload[END],
        score=score,
    )
