"""The bodies of what is asked and answered about collections, documents, jobs and passages."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.documents import DEFAULT_COLLECTION, DocumentStatus, FoundPassage, JobStatus


class Asked(BaseModel):
    """What a client sends: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(from_attributes=True)


class NewCollection(Asked):
    """A collection to be made."""

    name: str = Field(examples=["handbooks"])


class CollectionBody(Told):
    """A named set of documents that are searched together."""

    name: str
    created_at: datetime


class CollectionList(Told):
    """All collections by name."""

    collections: list[CollectionBody]


class DocumentBody(Told):
    """One uploaded file.

    media_type: what its bytes say, once it was read.
    page_count: null where the format has no pages, or before it was read.
    """

    id: str
    collection: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    status: DocumentStatus
    page_count: int | None
    passage_count: int
    created_at: datetime


class DocumentPage(Told):
    """Some documents, the newest first. next_cursor: null at the end."""

    documents: list[DocumentBody]
    next_cursor: str | None


class UploadBody(Told):
    """What became of an upload.

    duplicate: the collection has the same bytes already, under the name they had then.
    """

    document_id: str
    job_id: str
    duplicate: bool


class JobBody(Told):
    """Long work and how far it is.

    progress: 0 to 1.
    error: a sentence for a person, where it failed.
    """

    id: str
    document_id: str
    status: JobStatus
    stage: str
    progress: float
    error: str | None
    created_at: datetime


class PassageBody(Told):
    """A stretch of a document that can be quoted.

    start, end: in characters of the document's text, end exclusive.
    page: of its first character, from 1; null where the format has no pages.
    """

    id: str
    document_id: str
    document_name: str
    collection: str
    ordinal: int
    page: int | None
    start: int
    end: int
    text: str


class FoundPassageBody(PassageBody):
    """A passage and how well it fits.

    score: 0 to 1, higher is nearer, comparable within one answer only.
    focus_start, focus_end: its best-fitting stretch, in characters of `text`, end exclusive.
    """

    score: float
    focus_start: int
    focus_end: int

    @classmethod
    def of(cls, found: FoundPassage) -> Self:
        """Return what is told of a found passage."""
        passage = PassageBody.model_validate(found.passage)
        return cls(
            **passage.model_dump(),
            score=found.score,
            focus_start=found.focus_start,
            focus_end=found.focus_end,
        )


class SearchQuestion(Asked):
    """What to look for, and where."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    collection: str = DEFAULT_COLLECTION
    limit: int = Field(6, ge=1, le=50)


class SearchBody(Told):
    """What was found, the best first."""

    passages: list[FoundPassageBody]
