"""The ports to the jobs on disk: for those who ask, and for those who work."""

from dataclasses import dataclass
from typing import Protocol

from core.documents import Job
from core.ids import CollectionId, DocumentId, JobId
from core.principal import Principal


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received and is kept as the blob `document_id`."""

    document_id: DocumentId
    job_id: JobId
    collection_id: CollectionId
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an upload.

    is_duplicate: the collection has the same bytes already; the ids are those of then.
    """

    document_id: DocumentId
    job_id: JobId
    is_duplicate: bool


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that is ours to do.

    principal: who uploaded the document.
    attempt: from 1; above 1 the process that had it before has stopped.
    """

    id: JobId
    principal: Principal
    collection_id: CollectionId
    collection: str
    document_id: DocumentId
    document_name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What became known about a document when it was read; see `core.documents.Document`."""

    media_type: str
    page_count: int | None
    passage_count: int


class JobStore(Protocol):
    """Takes jobs and tells how they stand."""

    async def add(self, principal: Principal, upload: Upload) -> Accepted:
        """Write a document and its queued job in one transaction; durable when it returns.

        The same bytes in the same collection are one document, whatever they are called: its ids
        are returned and nothing is written, unless that document has failed, which the new one
        then replaces. Raises `NotFound` where the collection is gone.
        """
        ...

    async def get(self, principal: Principal, job_id: JobId) -> Job:
        """Return the job, also where its document is deleted. Raises `NotFound`."""
        ...

    async def cancel(self, principal: Principal, document_id: DocumentId) -> None:
        """End the document's job as `cancelled`, unless it has ended: nothing more is made of it.

        Whoever does it learns so from `JobQueue.report`.
        """
        ...

    async def count_queued(self) -> int:
        """Return how many jobs of all tenants wait."""
        ...


class JobLost(Exception):
    """Another node has the job, or had it to its end: nothing of it may be touched here."""


class JobQueue(Protocol):
    """Gives jobs out to one node, the oldest first, and takes what became of them.

    A node has a job by a lease, which every call on the job renews; a job whose lease ran out is
    anybody's. Every call on a job that is another's raises `JobLost` and changes nothing.
    """

    async def claim(self) -> ClaimedJob | None:
        """Take the oldest job that nobody has: `running`, one more attempt. None: there is none.

        It is a queued one, or one whose node has stopped.
        """
        ...

    async def renew(self, job_id: JobId) -> bool:
        """Keep the job for another while. False where it was cancelled: nobody wants it."""
        ...

    async def report(self, job_id: JobId, stage: str, progress: float) -> bool:
        """Note how far it is. False: see `renew`."""
        ...

    async def succeed(self, job_id: JobId, facts: ReadFacts) -> bool:
        """End the job and make its document `ready`, together. False: see `renew`."""
        ...

    async def fail(self, job_id: JobId, error: str) -> bool:
        """End the job and make its document `failed`, together. False: see `renew`."""
        ...
