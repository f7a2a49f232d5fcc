"""Opens the floor of documents: stores, search, ingestion."""

import asyncio
from dataclasses import dataclass
from functools import partial

from app.compute.process_compute import ProcessCompute
from app.infra.blobs.disk_blob_store import DiskBlobStore
from app.infra.embedding.onnx_embedder import load_embedder
from app.infra.qdrant.edge_vector_store import EdgeVectorStore
from app.infra.qdrant.qdrant_vector_store import QdrantVectorStore
from app.infra.qdrant.remote_vector_store import RemoteVectorStore
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
from core.ports.vector_store import VectorStore
from core.settings import Settings

# Of a node that stopped in the middle of a document: reading it again takes a while anyway.
JOB_LEASE_SECONDS = 30.0
JOB_RENEW_SECONDS = 5.0
JOB_SCAN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The floor of documents, and what runs in its background."""

    search: Search
    library: Library
    intake: Intake
    jobs: SqlJobStore
    runner: JobRunner


def open_knowledge(
    settings: Settings, node: str, database: Database, vectors: VectorStore, compute: ProcessCompute
) -> Knowledge:
    """Return the floor of documents; its `runner.run` does the jobs."""
    clock = SystemClock()
    collections = SqlCollectionStore(database, clock)
    documents = SqlDocumentStore(database)
    passages = SqlPassageStore(database)
    jobs = SqlJobStore(database, clock)
    queue = SqlJobQueue(database, clock, node, JOB_LEASE_SECONDS)
    blobs = DiskBlobStore(settings.data_dir / "blobs")
    blobs.sweep()
    is_shared = bool(settings.database_url.get_secret_value())
    runner = JobRunner(
        queue,
        Ingestion(queue, passages, vectors, blobs, compute),
        renew_seconds=JOB_RENEW_SECONDS if is_shared else None,
        scan_seconds=JOB_SCAN_SECONDS if is_shared else None,
    )
    return Knowledge(
        search=Search(collections, documents, passages, vectors, compute),
        library=Library(collections, documents, passages, jobs, vectors, blobs),
        intake=Intake(
            collections, jobs, blobs, runner.wake, file_limit_bytes=settings.upload_max_bytes
        ),
        jobs=jobs,
        runner=runner,
    )


def make_compute(settings: Settings) -> ProcessCompute:
    """Return the worker processes; entering it is what may start them."""
    models = settings.data_dir / "models"
    return ProcessCompute(
        partial(load_embedder, models, settings.embedding_model_path),
        workers=settings.compute_workers,
        read_timeout_seconds=settings.read_timeout_seconds,
    )


async def open_vectors(settings: Settings) -> VectorStore:
    """Return a Qdrant server or an index process where one is named, else the embedded index.

    Raises `SettingsError` where another process has that open.
    """
    if settings.qdrant_url:
        key = settings.qdrant_api_key.get_secret_value()
        return QdrantVectorStore.connect(settings.qdrant_url, key)
    if settings.index_url:
        return RemoteVectorStore.connect(settings.index_url)
    return await asyncio.to_thread(EdgeVectorStore.open, settings.data_dir / "vectors")
