"""Turns rows of collections, documents, passages and jobs into the words they stand for."""

from collections.abc import Mapping
from typing import Any

from core.documents import (
    Collection,
    Document,
    DocumentStatus,
    Job,
    JobStatus,
    Passage,
)
from core.ids import CollectionId, DocumentId, JobId, PassageId, PrincipalId, TenantId
from core.ports.job_store import ClaimedJob
from core.principal import Principal

OPEN_JOBS = (JobStatus.QUEUED, JobStatus.RUNNING)

# A row's columns by name, as the driver gives them.
Columns = Mapping[str, Any]


def collection_of(row: Columns) -> Collection:
    """Return the collection of a row of `collections`."""
    return Collection(
        id=CollectionId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        created_at=row["created_at"],
    )


def document_of(row: Columns) -> Document:
    """Return the document of a row of `documents` with its collection's name as `collection`."""
    return Document(
        id=DocumentId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        collection=row["collection"],
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        status=DocumentStatus(row["status"]),
        page_count=row["page_count"],
        passage_count=row["passage_count"],
        created_at=row["created_at"],
    )


def passage_of(row: Columns) -> Passage:
    """Return the passage of a row of `passages` with its document's and collection's names."""
    return Passage(
        id=PassageId(row["id"]),
        document_id=DocumentId(row["document_id"]),
        document_name=row["document_name"],
        collection=row["collection"],
        ordinal=row["ordinal"],
        page=row["page"],
        start=row["start_offset"],
        end=row["end_offset"],
        text=row["text"],
    )


def job_of(row: Columns) -> Job:
    """Return the job of a row of `jobs`."""
    return Job(
        id=JobId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        document_id=DocumentId(row["document_id"]),
        status=JobStatus(row["status"]),
        stage=row["stage"],
        progress=row["progress"],
        error=row["error"],
        created_at=row["created_at"],
    )


def claimed_job_of(row: Columns) -> ClaimedJob:
    """Return the claimed job of a row of `jobs` with its document and collection."""
    return ClaimedJob(
        id=JobId(row["id"]),
        principal=Principal(PrincipalId(row["principal"]), TenantId(row["tenant_id"])),
        collection_id=CollectionId(row["collection_id"]),
        collection=row["collection"],
        document_id=DocumentId(row["document_id"]),
        document_name=row["document_name"],
        attempt=row["attempt"],
    )
