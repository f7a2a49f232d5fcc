"""Jobs in the relational database, for those who work."""

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import claimed_job_of
from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow, JobRow
from app.infra.sql.moments import POSTGRES, lease_end
from app.infra.sql.utc_datetime import UtcDateTime
from core.clock import Clock
from core.documents import DocumentStatus, JobStatus
from core.ids import JobId
from core.ports.job_store import ClaimedJob, JobLost, ReadFacts


class SqlJobQueue:
    """See `JobQueue`.

    node: whose jobs these are. On SQLite, which has one process, what another node had is free.
    lease_seconds: how long a job is the node's after each call, by the database's clock.
    """

    def __init__(self, database: Database, clock: Clock, node: str, lease_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._node = node
        self._lease_seconds = lease_seconds

    async def claim(self) -> ClaimedJob | None:
        """See `JobQueue`."""
        async with self._database.writing() as connection:
            is_abandoned = self._is_abandoned(connection.dialect.name)
            oldest = (
                select(JobRow.id)
                .where(or_(JobRow.status == JobStatus.QUEUED, is_abandoned))
                .order_by(JobRow.created_at, JobRow.id)
                .limit(1)
                # Other nodes take the next one instead of waiting for this one.
                .with_for_update(skip_locked=True)
            )
            job_id = await connection.scalar(oldest)
            if job_id is None:
                return None
            taken = update(JobRow).where(JobRow.id == job_id)
            attempt = JobRow.attempt + 1
            await connection.execute(
                taken.values(status=JobStatus.RUNNING, owner=self._node, attempt=attempt)
            )
            await self._update(connection, job_id, stage="queued", progress=0.0)
            return await _read(connection, job_id)

    async def renew(self, job_id: JobId) -> bool:
        """See `JobQueue`."""
        async with self._database.writing() as connection:
            return await self._update(connection, job_id)

    async def report(self, job_id: JobId, stage: str, progress: float) -> bool:
        """See `JobQueue`."""
        async with self._database.writing() as connection:
            return await self._update(connection, job_id, stage=stage, progress=progress)

    async def succeed(self, job_id: JobId, facts: ReadFacts) -> bool:
        """See `JobQueue`."""
        now = self._clock.now()
        ended = {"status": JobStatus.SUCCEEDED, "stage": "done", "progress": 1.0}
        async with self._database.writing() as connection:
            wanted = await self._update(connection, job_id, finished_at=now, **ended)
            if wanted:
                await _update_document(
                    connection,
                    job_id,
                    status=DocumentStatus.READY,
                    media_type=facts.media_type,
                    page_count=facts.page_count,
                    passage_count=facts.passage_count,
                )
            return wanted

    async def fail(self, job_id: JobId, error: str) -> bool:
        """See `JobQueue`."""
        ended = {"status": JobStatus.FAILED, "error": error, "finished_at": self._clock.now()}
        async with self._database.writing() as connection:
            wanted = await self._update(connection, job_id, **ended)
            if wanted:
                await _update_document(connection, job_id, status=DocumentStatus.FAILED)
            return wanted

    def _is_abandoned(self, dialect: str) -> ColumnElement[bool]:
        now = func.clock_timestamp(type_=UtcDateTime)
        is_free = (
            # Empty where a version without leases began it.
            or_(JobRow.lease_until.is_(None), JobRow.lease_until <= now)
            if dialect == POSTGRES
            else JobRow.owner != self._node
        )
        return and_(JobRow.status == JobStatus.RUNNING, is_free)

    async def _update(
        self, connection: AsyncConnection, job_id: JobId | str, **columns: object
    ) -> bool:
        """Change a job that is this node's, and renew its lease; False where it was cancelled."""
        dialect = connection.dialect.name
        statement = (
            update(JobRow)
            .where(
                JobRow.id == job_id,
                JobRow.status == JobStatus.RUNNING,
                JobRow.owner == self._node,
            )
            .values(lease_until=lease_end(dialect), **columns)
        )
        lease = {"lease_seconds": self._lease_seconds} if dialect == POSTGRES else {}
        answer = await connection.execute(statement, lease)
        if answer.rowcount > 0:
            return True
        if await _is_cancelled(connection, job_id):
            return False
        raise JobLost


async def _is_cancelled(connection: AsyncConnection, job_id: JobId | str) -> bool:
    status = await connection.scalar(select(JobRow.status).where(JobRow.id == job_id))
    return status in (None, JobStatus.CANCELLED)


async def _read(connection: AsyncConnection, job_id: str) -> ClaimedJob:
    query = (
        select(
            JobRow.__table__,
            DocumentRow.name.label("document_name"),
            DocumentRow.collection_id,
            CollectionRow.name.label("collection"),
        )
        .join(DocumentRow, DocumentRow.id == JobRow.document_id)
        .join(CollectionRow, CollectionRow.id == DocumentRow.collection_id)
        .where(JobRow.id == job_id)
    )
    row = (await connection.execute(query)).one()
    return claimed_job_of(row._asdict())


async def _update_document(connection: AsyncConnection, job_id: JobId, **columns: object) -> None:
    document_id = select(JobRow.document_id).where(JobRow.id == job_id).scalar_subquery()
    await connection.execute(
        update(DocumentRow).where(DocumentRow.id == document_id).values(**columns)
    )
