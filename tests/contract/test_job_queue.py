"""What the stores of jobs do, on SQLite and on Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.job_queue import SqlJobQueue
from core.documents import DocumentStatus, JobStatus
from core.ids import JobId
from core.ports.job_store import JobLost
from core.principal import LOCAL
from tests.support.knowledge_stores import (
    FACTS,
    Stores,
    postgres_stores,
    stores_on,
)
from tests.support.postgres_server import PostgresServer
from tests.support.sql import STRANGER


@pytest.fixture
def stores(database: Database) -> Stores:
    return stores_on(database)


async def test_jobs_are_given_out_once_the_oldest_first(stores: Stores) -> None:
    first, second = await stores.add(name="first.txt"), await stores.add()

    claimed = [await stores.queue.claim() for _ in range(3)]

    assert [job.id if job else None for job in claimed] == [first.job_id, second.job_id, None]
    job = claimed[0]
    assert job is not None
    assert (job.principal, job.document_name, job.attempt) == (LOCAL, "first.txt", 1)
    assert job.collection == "default"
    assert (await stores.jobs.get(LOCAL, job.id)).status is JobStatus.RUNNING


async def test_two_workers_never_get_the_same_job(stores: Stores) -> None:
    for _ in range(4):
        await stores.add()
    async with asyncio.TaskGroup() as group:
        claims = [group.create_task(stores.queue.claim()) for _ in range(6)]

    got = [job.id for task in claims if (job := task.result())]
    assert len(got) == len(set(got)) == 4


async def test_a_job_tells_how_far_it_is(stores: Stores) -> None:
    accepted = await stores.add()
    await stores.queue.claim()

    assert await stores.queue.report(accepted.job_id, "embedding", 0.5)

    job = await stores.jobs.get(LOCAL, accepted.job_id)
    assert (job.stage, job.progress) == ("embedding", 0.5)


async def test_success_makes_the_document_ready(stores: Stores) -> None:
    accepted = await stores.add()
    home = await stores.collections.get(LOCAL, "default")
    assert not await stores.documents.has_ready(LOCAL, home.name)

    await stores.finish(accepted)

    document = await stores.documents.get(LOCAL, accepted.document_id)
    assert document.status is DocumentStatus.READY
    assert (document.media_type, document.page_count, document.passage_count) == (
        "text/plain",
        3,
        2,
    )
    job = await stores.jobs.get(LOCAL, accepted.job_id)
    assert (job.status, job.progress) == (JobStatus.SUCCEEDED, 1.0)
    assert await stores.documents.has_ready(LOCAL, home.name)


async def test_failure_says_why(stores: Stores) -> None:
    accepted = await stores.add()
    await stores.queue.claim()

    assert await stores.queue.fail(accepted.job_id, "The file is empty.")

    job = await stores.jobs.get(LOCAL, accepted.job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, "The file is empty.")
    document = await stores.documents.get(LOCAL, accepted.document_id)
    assert document.status is DocumentStatus.FAILED


async def test_who_does_a_cancelled_job_is_told(stores: Stores) -> None:
    accepted = await stores.add()
    await stores.queue.claim()

    await stores.jobs.cancel(LOCAL, accepted.document_id)

    assert not await stores.queue.report(accepted.job_id, "embedding", 0.5)
    assert not await stores.queue.succeed(accepted.job_id, FACTS)
    assert not await stores.queue.fail(accepted.job_id, "no")
    assert (await stores.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.CANCELLED


async def test_a_cancelled_job_is_never_given_out(stores: Stores) -> None:
    accepted = await stores.add()

    await stores.jobs.cancel(LOCAL, accepted.document_id)

    assert await stores.queue.claim() is None
    assert await stores.queue_of("node-2").claim() is None


async def test_a_job_that_has_ended_is_not_cancelled(stores: Stores) -> None:
    accepted = await stores.add()
    await stores.finish(accepted)

    await stores.jobs.cancel(LOCAL, accepted.document_id)

    assert (await stores.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.SUCCEEDED


async def test_nobody_cancels_another_tenants_job(stores: Stores) -> None:
    accepted = await stores.add()

    await stores.jobs.cancel(STRANGER, accepted.document_id)

    assert (await stores.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.QUEUED


async def test_a_job_of_a_node_that_stopped_is_given_out_again(stores: Stores) -> None:
    stopped = stores.queue_of("stopped", lease_seconds=0)
    running, waiting = await stores.add(), await stores.add()
    assert await stopped.claim()
    await stopped.report(running.job_id, "embedding", 0.5)

    again = await stores.queue.claim()

    assert again is not None
    assert (again.id, again.attempt) == (running.job_id, 2)
    job = await stores.jobs.get(LOCAL, running.job_id)
    assert (job.status, job.stage, job.progress) == (JobStatus.RUNNING, "queued", 0.0)
    assert (await stores.jobs.get(LOCAL, waiting.job_id)).status is JobStatus.QUEUED


async def test_a_node_never_takes_what_it_has(stores: Stores) -> None:
    await stores.add()
    assert await stores.queue.claim()

    assert await stores.queue.claim() is None


async def test_who_lost_a_job_changes_nothing_of_it(stores: Stores) -> None:
    stopped = stores.queue_of("stopped", lease_seconds=0)
    accepted = await stores.add()
    assert await stopped.claim()
    assert await stores.queue.claim()
    await stores.queue.report(accepted.job_id, "embedding", 0.5)

    await assert_lost(stopped, accepted.job_id)

    job = await stores.jobs.get(LOCAL, accepted.job_id)
    assert (job.status, job.stage, job.progress) == (JobStatus.RUNNING, "embedding", 0.5)
    assert await stores.queue.succeed(accepted.job_id, FACTS)
    await assert_lost(stopped, accepted.job_id)
    document = await stores.documents.get(LOCAL, accepted.document_id)
    assert document.status is DocumentStatus.READY


async def test_who_lost_a_job_that_was_cancelled_since_is_told_that(stores: Stores) -> None:
    stopped = stores.queue_of("stopped", lease_seconds=0)
    accepted = await stores.add()
    assert await stopped.claim()
    assert await stores.queue.claim()

    await stores.jobs.cancel(LOCAL, accepted.document_id)

    assert not await stopped.renew(accepted.job_id)


async def test_a_job_begun_by_a_version_without_leases_is_anybodys(stores: Stores) -> None:
    accepted = await stores.add()
    assert await stores.queue.claim()
    async with stores.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE jobs SET owner = '', lease_until = NULL")

    again = await stores.queue.claim()

    assert again is not None
    assert again.id == accepted.job_id


async def assert_lost(queue: SqlJobQueue, job_id: JobId) -> None:
    for call in (
        queue.renew(job_id),
        queue.report(job_id, "indexing", 0.9),
        queue.succeed(job_id, FACTS),
        queue.fail(job_id, "no"),
    ):
        with pytest.raises(JobLost):
            await call


class TestOnPostgres:
    """What needs more than one process."""

    @pytest.fixture
    async def stores(self, postgres: PostgresServer) -> AsyncIterator[Stores]:
        async with postgres_stores(postgres) as stores:
            yield stores

    async def test_a_job_that_is_renewed_stays_its_nodes(self, stores: Stores) -> None:
        accepted = await stores.add()
        assert await stores.queue.claim()

        assert await stores.queue.renew(accepted.job_id)

        assert await stores.queue_of("node-2").claim() is None

    async def test_every_call_renews_the_lease(self, stores: Stores) -> None:
        accepted = await stores.add()
        short = stores.queue_of("node-1", lease_seconds=0)
        assert await short.claim()
        assert await stores.queue.report(accepted.job_id, "embedding", 0.5)

        assert await stores.queue_of("node-2").claim() is None

    async def test_a_job_that_ran_out_is_still_its_nodes_until_taken(self, stores: Stores) -> None:
        accepted = await stores.add()
        late = stores.queue_of("late", lease_seconds=0)
        assert await late.claim()

        assert await late.succeed(accepted.job_id, FACTS)
