"""The whole room of documents on real stores in a folder, to be used without a server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.infra.blobs.disk_blob_store import DiskBlobStore
from app.infra.sql.collection_store import SqlCollectionStore
from app.infra.sql.document_store import SqlDocumentStore
from app.infra.sql.engine import Database
from app.infra.sql.job_queue import SqlJobQueue
from app.infra.sql.job_store import SqlJobStore
from app.infra.sql.passage_store import SqlPassageStore
from app.knowledge.ingestion import Ingestion
from app.knowledge.intake import Intake
from app.knowledge.job_runner import JobRunner
from app.knowledge.library import Library
from app.knowledge.search import Search
from core.clock import SystemClock
from core.documents import Job
from core.ids import JobId
from core.ports.compute import Compute
from core.ports.job_store import Accepted
from core.ports.vector_store import VectorStore
from core.principal import LOCAL, Principal
from tests.support.sql import migrated_database
from tests.support.watched_queue import WatchedQueue

FILE_LIMIT_BYTES = 1024 * 1024
LEASE_SECONDS = 30
LOOK_SECONDS = 0.02
FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class KnowledgeRoom:
    """Every part, as the bootstrap wires it; `runner` does nothing until it is run."""

    library: Library
    search: Search
    intake: Intake
    runner: JobRunner
    ingestion: Ingestion
    queue: WatchedQueue
    jobs: SqlJobStore
    vectors: VectorStore
    blob_folder: Path

    async def upload(
        self,
        content: str | bytes,
        name: str = "note.txt",
        collection: str = "default",
        principal: Principal = LOCAL,
    ) -> Accepted:
        """Take a file in."""
        raw = content.encode() if isinstance(content, str) else content
        return await self.intake.accept(principal, collection, name, _in_pieces(raw))

    async def do_waiting_jobs(self) -> None:
        """Do every job that is queued, here and now."""
        while (job := await self.queue.claim()) is not None:
            await self.ingestion.run(job)

    async def finished(self, job_id: JobId) -> Job:
        """Return a job once it has ended; something else must be doing it."""
        return await self._once(job_id, lambda job: job.status in FINAL)

    async def at_stage(self, job_id: JobId, stage: str) -> Job:
        """Return a job once it is there; something else must be doing it."""
        return await self._once(job_id, lambda job: job.stage == stage)

    async def _once(self, job_id: JobId, is_so: Callable[[Job], bool]) -> Job:
        while True:
            changed = self.queue.changed
            job = await self.jobs.get(LOCAL, job_id)
            if is_so(job):
                return job
            await changed.wait()

    def blob_count(self) -> int:
        """Return how many files lie in the folder of blobs, half-written ones too."""
        return sum(path.is_file() for path in self.blob_folder.rglob("*"))


@asynccontextmanager
async def knowledge_room(
    folder: Path, compute: Compute, vectors: VectorStore, *, queue_limit: int = 1000
) -> AsyncIterator[KnowledgeRoom]:
    """Give the room on SQLite and a folder of blobs; a second one there sees the same."""
    async with migrated_database(folder) as database:
        yield room_on(database, folder, compute, vectors, queue_limit=queue_limit)


def room_on(
    database: Database,
    folder: Path,
    compute: Compute,
    vectors: VectorStore,
    *,
    queue_limit: int = 1000,
    lease_seconds: float = LEASE_SECONDS,
) -> KnowledgeRoom:
    """Return the room of a node that starts on a database and a folder of blobs."""
    clock = SystemClock()
    collections = SqlCollectionStore(database, clock)
    documents = SqlDocumentStore(database)
    passages = SqlPassageStore(database)
    jobs = SqlJobStore(database, clock)
    queue = WatchedQueue(SqlJobQueue(database, clock, f"node-{uuid4()}", lease_seconds))
    blobs = DiskBlobStore(folder / "blobs")
    ingestion = Ingestion(queue, passages, vectors, blobs, compute)
    runner = JobRunner(queue, ingestion, renew_seconds=LOOK_SECONDS, scan_seconds=LOOK_SECONDS)
    return KnowledgeRoom(
        library=Library(collections, documents, passages, jobs, vectors, blobs),
        search=Search(collections, documents, passages, vectors, compute),
        intake=Intake(
            collections,
            jobs,
            blobs,
            runner.wake,
            file_limit_bytes=FILE_LIMIT_BYTES,
            queue_limit=queue_limit,
        ),
        runner=runner,
        ingestion=ingestion,
        queue=queue,
        jobs=jobs,
        vectors=vectors,
        blob_folder=folder / "blobs",
    )


async def assert_empty(room: KnowledgeRoom) -> None:
    """Nothing is left of any document: no chunk, no passage, no file."""
    for collection in await room.library.collections(LOCAL):
        assert await room.vectors.count(LOCAL.tenant_id, collection.id) == 0
    assert await room.search.search(LOCAL, "default", "refunds parrots", 9) == []
    assert room.blob_count() == 0


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(content), 1000):
        yield content[first : first + 1000]
