"""Makes an uploaded file searchable: read, chunk, embed, index; all of it or nothing."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID, uuid5

import structlog

from core.documents import Passage
from core.errors import AppError, StorageUnavailable, UnreadableDocument
from core.ids import DocumentId, PassageId
from core.ports.blobs import BlobStore
from core.ports.compute import ChildChunk, ChunkedDocument, Compute, ReadDocument
from core.ports.document_store import PassageStore
from core.ports.job_store import ClaimedJob, JobQueue, ReadFacts
from core.ports.vector_store import VectorPoint, VectorStore
from core.vectors import TextVectors

log = structlog.get_logger(__name__)

# Where each stage begins, of 1. Embedding takes nearly all of the time.
READING, CHUNKING, EMBEDDING, INDEXING = 0.0, 0.05, 0.1, 0.95


class Unwanted(Exception):
    """The job was cancelled: its document is deleted."""


class Ingestion:
    """Does one job at a time; several may run side by side."""

    def __init__(
        self,
        queue: JobQueue,
        passages: PassageStore,
        vectors: VectorStore,
        blobs: BlobStore,
        compute: Compute,
    ) -> None:
        self._queue = queue
        self._passages = passages
        self._vectors = vectors
        self._blobs = blobs
        self._compute = compute

    async def run(self, job: ClaimedJob) -> None:
        """Do the job and end it as succeeded or failed; a cancelled one leaves nothing.

        Raises `JobLost`, and what is not an `AppError`. Then, and when it is cancelled itself, the
        job is still `running` and what was made of it is still there; `fail` ends it, and a second
        `run` begins by clearing.
        """
        try:
            await self._clear(job)
            facts = await self.make(job)
            if not await self._queue.succeed(job.id, facts):
                raise Unwanted
        except Unwanted:
            await self._clear(job)
        except AppError as error:
            await self.fail(job, error.message)

    async def fail(self, job: ClaimedJob, error: str) -> None:
        """Remove what was made, and the file, and end the job as failed with a sentence.

        Raises `JobLost`; what is there is then whoever's has the job.
        """
        await self._queue.renew(job.id)
        try:
            await self._clear(job)
        except StorageUnavailable:
            # The job must not hang on it: a chunk that is left over has no passage to show.
            log.warning("job.chunks_left", document_id=job.document_id)
        await self._blobs.delete(job.document_id)
        await self._queue.fail(job.id, error)

    async def _clear(self, job: ClaimedJob) -> None:
        await self._vectors.delete_document(job.principal.tenant_id, job.document_id)
        await self._passages.clear(job.principal, job.document_id)

    async def make(self, job: ClaimedJob) -> ReadFacts:
        """Store all that is searched of the document, and return what became known of it."""
        await self._report(job, "reading", READING)
        async with self._blobs.open(job.document_id) as path:
            document = await self._compute.read(path, job.document_name)
        await self._report(job, "chunking", CHUNKING)
        chunks = await self._compute.chunk(document)
        if not chunks.children:
            raise UnreadableDocument("There is no text in this file.")
        passages = _passages_of(job, document, chunks)
        await self._index(job, document, chunks, passages)
        await self._report(job, "indexing", INDEXING)
        await self._passages.add(job.principal, passages)
        page_count = len(document.page_starts) or None
        return ReadFacts(document.media_type, page_count, len(passages))

    async def _index(
        self,
        job: ClaimedJob,
        document: ReadDocument,
        chunks: ChunkedDocument,
        passages: Sequence[Passage],
    ) -> None:
        """Embed the children and store each batch as it comes; they are never all in memory."""
        await self._report(job, "embedding", EMBEDDING)
        children = chunks.children
        embedded = self._compute.embed([document.text[one.start : one.end] for one in children])
        done = 0
        try:
            async for vectors in embedded:
                batch = enumerate(zip(children[done : done + len(vectors)], vectors, strict=True))
                await self._vectors.put(
                    [
                        _point_of(job, done + place, child, passages[child.parent], item)
                        for place, (child, item) in batch
                    ]
                )
                done += len(vectors)
                share = done / len(children)
                await self._report(job, "embedding", EMBEDDING + share * (INDEXING - EMBEDDING))
        finally:
            # A generator that is left in the middle holds on to what it works with.
            if isinstance(embedded, AsyncGenerator):
                await embedded.aclose()

    async def _report(self, job: ClaimedJob, stage: str, progress: float) -> None:
        if not await self._queue.report(job.id, stage, progress):
            raise Unwanted


def _passages_of(job: ClaimedJob, document: ReadDocument, chunks: ChunkedDocument) -> list[Passage]:
    return [
        Passage(
            id=PassageId(str(_part_id(job.document_id, f"passage/{ordinal}"))),
            document_id=job.document_id,
            document_name=job.document_name,
            collection=job.collection,
            ordinal=ordinal,
            page=parent.page,
            start=parent.start,
            end=parent.end,
            text=document.text[parent.start : parent.end],
        )
        for ordinal, parent in enumerate(chunks.parents)
    ]


def _point_of(
    job: ClaimedJob,
    ordinal: int,
    child: ChildChunk,
    passage: Passage,
    vectors: TextVectors,
) -> VectorPoint:
    return VectorPoint(
        id=_part_id(job.document_id, f"chunk/{ordinal}"),
        tenant_id=job.principal.tenant_id,
        collection_id=job.collection_id,
        document_id=job.document_id,
        passage_id=passage.id,
        start=child.start - passage.start,
        end=child.end - passage.start,
        vectors=vectors,
    )


def _part_id(document_id: DocumentId, part: str) -> UUID:
    # The same for every attempt, so that doing it again replaces and never doubles.
    return uuid5(UUID(document_id), part)
