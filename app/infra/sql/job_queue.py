"""Jobs in the relational database, for those who work."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import claimed_job_of
from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow, JobRow
from core.clock import Clock
from core.documents import DocumentStatus, JobStatus
from core.ids import JobId
from core.ports.job_store import ClaimedJob, ReadFacts


class SqlJobQueue:
    """See `JobQueue`. `reopen` takes every running job to be a stopped process's: one node."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def reopen(self) -> int:
        """See `JobQueue`."""
        reopened = (
            update(JobRow)
            .where(JobRow.status == JobStatus.RUNNING)
            .values(status=JobStatus.QUEUED, stage="queued", progress=0.0)
        )
        waiting = select(func.count()).where(JobRow.status == JobStatus.QUEUED)
        async with self._database.writing() as connection:
            await connection.execute(reopened)
            return await connection.scalar(waiting) or 0

    async def claim(self) -> ClaimedJob | None:
        """See `JobQueue`."""
        oldest = (
            select(JobRow.id)
            .where(JobRow.status == JobStatus.QUEUED)
            .order_by(JobRow.created_at, JobRow.id)
            .limit(1)
            # Other nodes take the next one instead of waiting for this one.
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            job_id = await connection.scalar(oldest)
            if job_id is None:
                return None
            await connection.execute(
                update(JobRow)
                .where(JobRow.id == job_id)
                .values(status=JobStatus.RUNNING, attempt=JobRow.attempt + 1)
            )
            return await _read(connection, job_id)

    async def report(self, job_id: JobId, stage: str, progress: float) -> bool:
        """See `JobQueue`."""
        async with self._database.writing() as connection:
            return await _update_running(connection, job_id, stage=stage, progress=progress)

    async def succeed(self, job_id: JobId, facts: ReadFacts) -> bool:
        """See `JobQueue`."""
        async with self._database.writing() as connection:
            wanted = await _update_running(
                connection,
                job_id,
                status=JobStatus.SUCCEEDED,
                stage="done",
                progress=1.0,
                finished_at=self._clock.now(),
            )
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
        async with self._database.writing() as connection:
            wanted = await _update_running(
                connection,
                job_id,
                status=JobStatus.FAILED,
                error=error,
                finished_at=self._clock.now(),
            )
            if wanted:
                await _update_document(connection, job_id, status=DocumentStatus.FAILED)
            return wanted


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


async def _update_running(connection: AsyncConnection, job_id: JobId, **columns: object) -> bool:
    statement = (
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.status == JobStatus.RUNNING)
        .values(**columns)
    )
    answer = await connection.execute(statement)
    return answer.rowcount > 0


async def _update_document(connection: AsyncConnection, job_id: JobId, **columns: object) -> None:
    document_id = select(JobRow.document_id).where(JobRow.id == job_id).scalar_subquery()
    await connection.execute(
        update(DocumentRow).where(DocumentRow.id == document_id).values(**columns)
    )
