"""Words for what people upload and what is found in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import CollectionId, DocumentId, JobId, PassageId, TenantId

DEFAULT_COLLECTION = "default"


class DocumentStatus(StrEnum):
    """Whether a document can be searched yet."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class JobStatus(StrEnum):
    """Where long work stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents that are searched together."""

    id: CollectionId
    tenant_id: TenantId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """One uploaded file.

    size_bytes: of the file as it was uploaded.
    page_count: None where the format has no pages, or before it was read.
    passage_count: 0 until it is ready.
    """

    id: DocumentId
    tenant_id: TenantId
    collection: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    status: DocumentStatus
    page_count: int | None
    passage_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that can be quoted (a parent chunk, about 512 tokens).

    text: exactly `document_text[start:end]`.
    page: of its first character, from 1; None where the format has no pages.
    """

    id: PassageId
    document_id: DocumentId
    document_name: str
    collection: str
    ordinal: int
    page: int | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage with how well it fits a query.

    score: 0..1, higher is nearer; comparable within one answer only.
    focus_start, focus_end: the best-fitting child chunk, in characters of the passage's own text.
    """

    passage: Passage
    score: float
    focus_start: int
    focus_end: int


@dataclass(frozen=True, slots=True)
class Job:
    """Long work and how far it is.

    stage: what it is doing now, one word (`reading`, `embedding`, `indexing`, ...).
    progress: 0..1.
    error: a sentence a person understands, where it failed.
    """

    id: JobId
    tenant_id: TenantId
    document_id: DocumentId
    status: JobStatus
    stage: str
    progress: float
    error: str | None
    created_at: datetime
