"""The stores of collections, documents, passages and jobs on one real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from app.infra.sql.collection_store import SqlCollectionStore
from app.infra.sql.document_store import SqlDocumentStore
from app.infra.sql.engine import Database
from app.infra.sql.job_queue import SqlJobQueue
from app.infra.sql.job_store import SqlJobStore
from app.infra.sql.passage_store import SqlPassageStore
from core.clock import SystemClock
from core.documents import Passage
from core.ids import DocumentId, JobId, PassageId
from core.ports.job_store import Accepted, ReadFacts, Upload
from core.principal import LOCAL, Principal
from tests.support.postgres_server import PostgresServer
from tests.support.sql import migrated_postgres

FACTS = ReadFacts("text/plain", 3, 2)
LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Stores:
    """All of them, with the few moves that tests repeat."""

    collections: SqlCollectionStore
    documents: SqlDocumentStore
    passages: SqlPassageStore
    jobs: SqlJobStore
    queue: SqlJobQueue
    database: Database

    def queue_of(self, node: str, lease_seconds: float = LEASE_SECONDS) -> SqlJobQueue:
        """Return another node's queue; one without a lease loses its jobs at once."""
        return SqlJobQueue(self.database, SystemClock(), node, lease_seconds)

    async def add(
        self,
        sha256: str | None = None,
        *,
        name: str = "a.txt",
        collection: str = "default",
        principal: Principal = LOCAL,
    ) -> Accepted:
        """Add a document; with bytes of its own unless told."""
        home = await self.collections.get(principal, collection)
        upload = Upload(
            DocumentId(str(uuid4())),
            JobId(str(uuid4())),
            home.id,
            name,
            10,
            sha256 or uuid4().hex,
        )
        return await self.jobs.add(principal, upload)

    async def finish(self, accepted: Accepted) -> None:
        """Do the one queued job."""
        job = await self.queue.claim()
        assert job is not None
        assert await self.queue.succeed(accepted.job_id, FACTS)


@asynccontextmanager
async def postgres_stores(server: PostgresServer) -> AsyncIterator[Stores]:
    """Give the stores on a database of the server."""
    async with migrated_postgres(server) as url:
        database = Database.postgres(url)
        try:
            yield stores_on(database)
        finally:
            await database.close()


def stores_on(database: Database) -> Stores:
    """Return the stores on a database that has its tables."""
    clock = SystemClock()
    return Stores(
        SqlCollectionStore(database, clock),
        SqlDocumentStore(database),
        SqlPassageStore(database),
        SqlJobStore(database, clock),
        SqlJobQueue(database, clock, "node-1", LEASE_SECONDS),
        database,
    )


def passage(accepted: Accepted, ordinal: int = 0) -> Passage:
    """Return a passage of a document that was added as `plan.pdf`."""
    return Passage(
        id=PassageId(f"{accepted.document_id}-{ordinal}"),
        document_id=accepted.document_id,
        document_name="plan.pdf",
        collection="default",
        ordinal=ordinal,
        page=1,
        start=0,
        end=5,
        text="words",
    )
