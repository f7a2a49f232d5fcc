"""Jobs in the relational database, for those who ask."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.sql.engine import Database
from app.infra.sql.knowledge_rows import OPEN_JOBS, job_of
from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow, JobRow
from app.infra.sql.upsert import upsert
from core.clock import Clock
from core.documents import DocumentStatus, Job, JobStatus
from core.errors import NotFound
from core.ids import DocumentId, JobId
from core.ports.job_store import Accepted, Upload
from core.principal import Principal

UNKNOWN_MEDIA_TYPE = "application/octet-stream"


class SqlJobStore:
    """See `JobStore`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, principal: Principal, upload: Upload) -> Accepted:
        """See `JobStore`."""
        async with self._database.writing() as connection:
            await _hold_collection(connection, principal, upload)
            await _drop_failed(connection, upload)
            if not await self._insert_document(connection, principal, upload):
                return await _find_twin(connection, upload)
            await self._insert_job(connection, principal, upload)
        return Accepted(upload.document_id, upload.job_id, is_duplicate=False)

    async def get(self, principal: Principal, job_id: JobId) -> Job:
        """See `JobStore`."""
        query = select(JobRow.__table__).where(
            JobRow.tenant_id == principal.tenant_id, JobRow.id == job_id
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("There is no such job.")
        return job_of(row._asdict())

    async def cancel(self, principal: Principal, document_id: DocumentId) -> None:
        """See `JobStore`."""
        statement = (
            update(JobRow)
            .where(
                JobRow.tenant_id == principal.tenant_id,
                JobRow.document_id == document_id,
                JobRow.status.in_(OPEN_JOBS),
            )
            .values(status=JobStatus.CANCELLED, finished_at=self._clock.now())
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)

    async def count_queued(self) -> int:
        """See `JobStore`."""
        query = select(func.count()).select_from(JobRow).where(JobRow.status == JobStatus.QUEUED)
        async with self._database.reading() as connection:
            return await connection.scalar(query) or 0

    async def _insert_document(
        self, connection: AsyncConnection, principal: Principal, upload: Upload
    ) -> bool:
        statement = upsert(connection.dialect.name, DocumentRow).values(
            id=upload.document_id,
            tenant_id=principal.tenant_id,
            collection_id=upload.collection_id,
            name=upload.name,
            media_type=UNKNOWN_MEDIA_TYPE,
            size_bytes=upload.size_bytes,
            sha256=upload.sha256,
            status=DocumentStatus.PROCESSING,
            page_count=None,
            passage_count=0,
            created_at=self._clock.now(),
        )
        statement = statement.on_conflict_do_nothing(index_elements=["collection_id", "sha256"])
        # Not the count of rows: of an insert no driver has to tell it.
        return await connection.scalar(statement.returning(DocumentRow.id)) is not None

    async def _insert_job(
        self, connection: AsyncConnection, principal: Principal, upload: Upload
    ) -> None:
        statement = upsert(connection.dialect.name, JobRow).values(
            id=upload.job_id,
            tenant_id=principal.tenant_id,
            principal=principal.id,
            document_id=upload.document_id,
            status=JobStatus.QUEUED,
            stage="queued",
            progress=0.0,
            error=None,
            attempt=0,
            created_at=self._clock.now(),
            finished_at=None,
        )
        await connection.execute(statement)


async def _hold_collection(
    connection: AsyncConnection, principal: Principal, upload: Upload
) -> None:
    # Locked until the end of the transaction, so that nobody deletes it meanwhile.
    query = (
        select(CollectionRow.id)
        .where(
            CollectionRow.tenant_id == principal.tenant_id,
            CollectionRow.id == upload.collection_id,
        )
        .with_for_update(read=True)
    )
    if await connection.scalar(query) is None:
        raise NotFound("The collection was deleted.")


async def _drop_failed(connection: AsyncConnection, upload: Upload) -> None:
    statement = delete(DocumentRow).where(
        DocumentRow.collection_id == upload.collection_id,
        DocumentRow.sha256 == upload.sha256,
        DocumentRow.status == DocumentStatus.FAILED,
    )
    await connection.execute(statement)


async def _find_twin(connection: AsyncConnection, upload: Upload) -> Accepted:
    query = (
        select(DocumentRow.id, JobRow.id.label("job_id"))
        .join(JobRow, JobRow.document_id == DocumentRow.id)
        .where(
            DocumentRow.collection_id == upload.collection_id,
            DocumentRow.sha256 == upload.sha256,
        )
    )
    row = (await connection.execute(query)).one()
    return Accepted(DocumentId(row.id), JobId(row.job_id), is_duplicate=True)
