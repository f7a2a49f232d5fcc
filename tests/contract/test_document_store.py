"""What the stores of documents and passages do, on SQLite and on Postgres."""

import asyncio

import pytest

from app.infra.sql.engine import Database
from core.documents import DocumentStatus, JobStatus
from core.errors import NotFound
from core.ids import PassageId
from core.ports.document_store import DocumentMark
from core.ports.job_store import Accepted
from core.principal import LOCAL
from tests.support.knowledge_stores import Stores, passage, stores_on
from tests.support.sql import STRANGER


@pytest.fixture
def stores(database: Database) -> Stores:
    return stores_on(database)


async def test_a_new_document_waits_with_its_job(stores: Stores) -> None:
    accepted = await stores.add(name="plan.pdf")

    document = await stores.documents.get(LOCAL, accepted.document_id)
    assert (document.name, document.collection) == ("plan.pdf", "default")
    assert document.status is DocumentStatus.PROCESSING
    assert document.created_at.tzinfo is not None
    job = await stores.jobs.get(LOCAL, accepted.job_id)
    assert (job.status, job.progress, job.error) == (JobStatus.QUEUED, 0.0, None)
    assert await stores.jobs.count_queued() == 1


async def test_the_same_bytes_in_one_collection_are_one_document(stores: Stores) -> None:
    first = await stores.add("same", name="first.txt")
    again = await stores.add("same", name="again.txt")

    assert again == Accepted(first.document_id, first.job_id, is_duplicate=True)
    assert (await stores.documents.get(LOCAL, first.document_id)).name == "first.txt"
    assert await stores.jobs.count_queued() == 1


async def test_the_same_bytes_in_two_collections_are_two_documents(stores: Stores) -> None:
    await stores.collections.create(LOCAL, "books")

    assert not (await stores.add("same")).is_duplicate
    assert not (await stores.add("same", collection="books")).is_duplicate
    assert not (await stores.add("same", principal=STRANGER)).is_duplicate


async def test_a_failed_document_is_replaced_when_its_bytes_come_again(stores: Stores) -> None:
    first = await stores.add("same")
    await stores.queue.claim()
    await stores.queue.fail(first.job_id, "It is empty.")

    again = await stores.add("same")

    assert not again.is_duplicate
    with pytest.raises(NotFound):
        await stores.documents.get(LOCAL, first.document_id)
    assert (await stores.jobs.get(LOCAL, first.job_id)).error == "It is empty."


async def test_the_same_bytes_sent_twice_at_once_are_one_document(stores: Stores) -> None:
    await stores.collections.list(LOCAL)
    async with asyncio.TaskGroup() as group:
        sent = [group.create_task(stores.add("same")) for _ in range(6)]

    assert len({task.result().document_id for task in sent}) == 1
    assert sum(task.result().is_duplicate for task in sent) == 5


async def test_documents_are_listed_page_by_page_newest_first(stores: Stores) -> None:
    added = [(await stores.add()).document_id for _ in range(5)]
    home = await stores.collections.get(LOCAL, "default")

    first = await stores.documents.list(LOCAL, home.id, 2)
    mark = DocumentMark(first[-1].created_at, first[-1].id)
    second = await stores.documents.list(LOCAL, home.id, 10, mark)

    assert [one.id for one in (*first, *second)] == added[::-1]


async def test_a_tenant_sees_nothing_of_another(stores: Stores) -> None:
    accepted = await stores.add()
    await stores.finish(accepted)
    await stores.passages.add(LOCAL, [passage(accepted)])
    home = await stores.collections.get(LOCAL, "default")

    with pytest.raises(NotFound):
        await stores.documents.get(STRANGER, accepted.document_id)
    with pytest.raises(NotFound):
        await stores.jobs.get(STRANGER, accepted.job_id)
    assert await stores.documents.list(STRANGER, home.id, 10) == []
    assert await stores.passages.get(STRANGER, [passage(accepted).id]) == {}
    assert not await stores.documents.has_ready(STRANGER, home.name)
    await stores.passages.clear(STRANGER, accepted.document_id)
    await stores.documents.delete(STRANGER, accepted.document_id)
    assert await stores.passages.get(LOCAL, [passage(accepted).id]) != {}


async def test_passages_show_when_their_document_is_ready(stores: Stores) -> None:
    accepted = await stores.add(name="plan.pdf")
    kept = passage(accepted)
    await stores.passages.add(LOCAL, [kept])
    assert await stores.passages.get(LOCAL, [kept.id]) == {}

    await stores.finish(accepted)

    assert await stores.passages.get(LOCAL, [kept.id, PassageId("other")]) == {kept.id: kept}


async def test_many_passages_are_kept_and_cleared(stores: Stores) -> None:
    accepted = await stores.add(name="plan.pdf")
    await stores.finish(accepted)
    many = [passage(accepted, ordinal) for ordinal in range(450)]
    await stores.passages.add(LOCAL, many)
    ids = [one.id for one in many]
    assert len(await stores.passages.get(LOCAL, ids)) == 450

    await stores.passages.clear(LOCAL, accepted.document_id)

    assert await stores.passages.get(LOCAL, ids) == {}
    assert await stores.passages.get(LOCAL, []) == {}


async def test_a_deleted_document_takes_its_passages(stores: Stores) -> None:
    accepted = await stores.add(name="plan.pdf")
    await stores.finish(accepted)
    await stores.passages.add(LOCAL, [passage(accepted)])

    await stores.documents.delete(LOCAL, accepted.document_id)
    await stores.documents.delete(LOCAL, accepted.document_id)

    assert await stores.passages.get(LOCAL, [passage(accepted).id]) == {}
    # Whoever waits for the job still learns how it ended.
    assert (await stores.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.SUCCEEDED
