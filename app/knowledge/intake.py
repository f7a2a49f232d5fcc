"""Takes uploaded files in: the bytes to the blobs, a document and its job to the stores."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

from app.knowledge.names import clean_document_name
from core.errors import Busy
from core.ids import DocumentId, JobId
from core.ports.blobs import BlobStore
from core.ports.collection_store import CollectionStore
from core.ports.job_store import Accepted, JobStore, Upload
from core.principal import Principal

RETRY_AFTER_SECONDS = 10.0


class Intake:
    """Accepts uploads.

    wake: called after each new job, so that whoever does them looks; must not block.
    file_limit_bytes: of one file.
    queue_limit: jobs that may wait, over all tenants.
    """

    def __init__(
        self,
        collections: CollectionStore,
        jobs: JobStore,
        blobs: BlobStore,
        wake: Callable[[], None],
        *,
        file_limit_bytes: int,
        queue_limit: int = 1000,
    ) -> None:
        self._collections = collections
        self._jobs = jobs
        self._blobs = blobs
        self._wake = wake
        self._file_limit_bytes = file_limit_bytes
        self._queue_limit = queue_limit

    async def accept(
        self,
        principal: Principal,
        collection_name: str,
        file_name: str,
        chunks: AsyncIterator[bytes],
    ) -> Accepted:
        """Keep the file and return its ids; it is on disk and its job queued by then.

        The same bytes in the same collection are one document: see `JobStore.add`. Raises
        `NotFound` (naming the collections that there are), `InvalidRequest` (no usable name),
        `TooLarge`, `Busy`.
        """
        name = clean_document_name(file_name)
        collection = await self._collections.get(principal, collection_name)
        if await self._jobs.count_queued() >= self._queue_limit:
            raise Busy(
                "Too many documents are waiting to be read.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        document_id = DocumentId(str(uuid4()))
        stored = await self._blobs.put(document_id, chunks, self._file_limit_bytes)
        upload = Upload(
            document_id,
            JobId(str(uuid4())),
            collection.id,
            name,
            stored.size_bytes,
            stored.sha256,
        )
        return await self._keep(principal, upload)

    async def _keep(self, principal: Principal, upload: Upload) -> Accepted:
        try:
            accepted = await self._jobs.add(principal, upload)
        except Exception:
            # Not when cancelled: then the document may be on disk already, and needs its file.
            await self._blobs.delete(upload.document_id)
            raise
        if accepted.is_duplicate:
            await self._blobs.delete(upload.document_id)
        else:
            self._wake()
        return accepted
