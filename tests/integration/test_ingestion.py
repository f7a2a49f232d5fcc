"""From an uploaded file to a found passage, on real stores, and all the ways it can stop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.documents import DocumentStatus, FoundPassage, JobStatus
from core.errors import StorageUnavailable
from core.ports.job_store import JobLost
from core.ports.vector_store import VectorPoint
from core.principal import LOCAL
from tests.support.fake_vector_store import FakeVectorStore
from tests.support.knowledge import KnowledgeRoom, assert_empty, knowledge_room, room_on
from tests.support.knowledge_stores import postgres_stores
from tests.support.paragraph_compute import ParagraphCompute
from tests.support.postgres_server import PostgresServer

REFUNDS = "Refunds take ten days. Ask the cashier."
PARROTS = "Parrots talk. They live long."


class BrittleVectorStore(FakeVectorStore):
    """Breaks while chunks are put, as often as it is told."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    async def put(self, points: Sequence[VectorPoint]) -> None:
        # Some arrive, as when a server goes away in the middle.
        await super().put(points[:1])
        if self.error is not None:
            raise self.error
        await super().put(points)


@pytest.fixture
def compute() -> ParagraphCompute:
    return ParagraphCompute()


@pytest.fixture
async def room(tmp_path: Path, compute: ParagraphCompute) -> AsyncIterator[KnowledgeRoom]:
    async with knowledge_room(tmp_path, compute, FakeVectorStore()) as room:
        yield room


async def test_what_was_uploaded_is_found_and_quoted(room: KnowledgeRoom) -> None:
    text = f"{PARROTS}\n{REFUNDS}\f{PARROTS}"
    accepted = await room.upload(text, "refunds.txt")
    await room.do_waiting_jobs()

    best = (await room.search.search(LOCAL, "default", "refunds days", 3))[0]

    assert best.passage.text == REFUNDS
    assert text[best.passage.start : best.passage.end] == REFUNDS
    assert (best.passage.document_name, best.passage.page) == ("refunds.txt", 1)
    assert focus(best) == "Refunds take ten days."
    document = await room.library.document(LOCAL, accepted.document_id)
    assert document.status is DocumentStatus.READY
    assert (document.page_count, document.passage_count) == (2, 3)


async def test_a_document_shows_only_when_all_of_it_is_stored(
    room: KnowledgeRoom, compute: ParagraphCompute
) -> None:
    assert not await room.search.has_documents(LOCAL, "default")
    compute.gate.clear()
    accepted = await room.upload(REFUNDS)

    async with asyncio.TaskGroup() as group:
        group.create_task(room.do_waiting_jobs())
        while compute.reads == 0:
            assert await room.search.search(LOCAL, "default", "refunds", 3) == []
        compute.gate.set()

    assert await room.search.has_documents(LOCAL, "default")
    assert len(await room.search.search(LOCAL, "default", "refunds", 3)) == 1
    assert (await room.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "'note.txt' is empty."), (b"\xff\xfe\x00", "not text")]
)
async def test_a_bad_file_fails_with_a_sentence_and_leaves_nothing(
    room: KnowledgeRoom, content: bytes, sentence: str
) -> None:
    accepted = await room.upload(content)
    await room.do_waiting_jobs()

    job = await room.jobs.get(LOCAL, accepted.job_id)
    assert job.status is JobStatus.FAILED
    assert sentence in (job.error or "")
    document = await room.library.document(LOCAL, accepted.document_id)
    assert document.status is DocumentStatus.FAILED
    await assert_empty(room)


async def test_a_store_that_breaks_in_the_middle_leaves_nothing(
    tmp_path: Path, compute: ParagraphCompute
) -> None:
    vectors = BrittleVectorStore(StorageUnavailable("The vector store could not be used."))
    async with knowledge_room(tmp_path, compute, vectors) as room:
        accepted = await room.upload(REFUNDS)
        await room.do_waiting_jobs()

        job = await room.jobs.get(LOCAL, accepted.job_id)
        assert (job.status, job.error) == (
            JobStatus.FAILED,
            "The vector store could not be used.",
        )
        await assert_empty(room)
        vectors.error = None
        assert (await room.upload(REFUNDS)).document_id != accepted.document_id
        await room.do_waiting_jobs()
        assert len(await room.search.search(LOCAL, "default", "refunds", 3)) == 1


async def test_a_bug_ends_the_job_and_not_the_runner(
    tmp_path: Path, compute: ParagraphCompute
) -> None:
    vectors = BrittleVectorStore(RuntimeError("a secret of the server"))
    async with knowledge_room(tmp_path, compute, vectors) as room, running(room):
        bad = await room.upload(REFUNDS)
        failed = await room.finished(bad.job_id)
        vectors.error = None
        good = await room.upload(PARROTS)

        assert failed.status is JobStatus.FAILED
        assert "secret" not in (failed.error or "")
        assert (await room.finished(good.job_id)).status is JobStatus.SUCCEEDED


async def test_jobs_are_done_one_after_the_other(room: KnowledgeRoom) -> None:
    first = await room.upload(REFUNDS)
    async with running(room):
        second = await room.upload(PARROTS)

        assert (await room.finished(second.job_id)).status is JobStatus.SUCCEEDED
        assert (await room.jobs.get(LOCAL, first.job_id)).status is JobStatus.SUCCEEDED


async def test_a_job_that_was_under_way_is_done_again_after_a_restart(
    tmp_path: Path, compute: ParagraphCompute
) -> None:
    vectors = FakeVectorStore()
    async with knowledge_room(tmp_path, compute, vectors) as room:
        compute.gate.clear()
        accepted = await room.upload(f"{REFUNDS}\n{PARROTS}")
        async with running(room):
            await room.at_stage(accepted.job_id, "embedding")
        assert (await room.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.RUNNING

    compute.gate.set()
    async with knowledge_room(tmp_path, compute, vectors) as again, running(again):
        assert (await again.finished(accepted.job_id)).status is JobStatus.SUCCEEDED
        assert len(await again.search.search(LOCAL, "default", "refunds parrots", 9)) == 2


async def test_a_second_attempt_doubles_nothing(
    room: KnowledgeRoom, compute: ParagraphCompute, tmp_path: Path
) -> None:
    accepted = await room.upload(f"{REFUNDS}\n{PARROTS}")
    first = await room.queue.claim()
    assert first is not None
    # All is stored, and then the process stops before it can say so.
    facts = await room.ingestion.make(first)
    home = await room.library.collection(LOCAL, "default")
    once = await room.vectors.count(LOCAL.tenant_id, home.id)

    async with knowledge_room(tmp_path, compute, room.vectors) as next_start:
        await next_start.do_waiting_jobs()

    assert await room.vectors.count(LOCAL.tenant_id, home.id) == once
    document = await room.library.document(LOCAL, accepted.document_id)
    assert document.passage_count == facts.passage_count


async def test_a_file_that_stops_the_server_each_time_is_given_up(
    room: KnowledgeRoom, compute: ParagraphCompute, tmp_path: Path
) -> None:
    accepted = await room.upload(REFUNDS)
    for _ in range(5):
        async with knowledge_room(tmp_path, compute, room.vectors) as start:
            assert await start.queue.claim()

    async with running(room):
        job = await room.finished(accepted.job_id)

    assert job.status is JobStatus.FAILED
    assert "stopped" in (job.error or "")
    assert compute.reads == 0
    await assert_empty(room)


async def test_a_document_that_another_node_took_in_is_read_here(
    room: KnowledgeRoom, compute: ParagraphCompute, tmp_path: Path
) -> None:
    async with running(room), knowledge_room(tmp_path, compute, room.vectors) as other:
        accepted = await other.upload(REFUNDS)

        assert (await room.finished(accepted.job_id)).status is JobStatus.SUCCEEDED


async def test_a_node_that_lost_its_job_leaves_what_is_there_alone(
    postgres: PostgresServer, compute: ParagraphCompute, tmp_path: Path
) -> None:
    vectors = FakeVectorStore()
    compute.gate.clear()
    async with postgres_stores(postgres) as stores:
        slow = room_on(stores.database, tmp_path, compute, vectors, lease_seconds=0)
        successor = room_on(stores.database, tmp_path, ParagraphCompute(), vectors)
        accepted = await slow.upload(f"{REFUNDS}\n{PARROTS}")
        async with running(slow):
            await slow.at_stage(accepted.job_id, "embedding")
            await successor.do_waiting_jobs()
            compute.gate.set()
            # The slot is free again once the replaced one has seen it.
            after = await slow.upload(PARROTS)
            assert (await slow.finished(after.job_id)).status is JobStatus.SUCCEEDED

        assert (await slow.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.SUCCEEDED
        assert len(await slow.search.search(LOCAL, "default", "refunds parrots", 9)) == 3


async def test_a_failure_of_a_node_that_lost_its_job_is_not_the_documents(
    room: KnowledgeRoom, compute: ParagraphCompute, tmp_path: Path
) -> None:
    accepted = await room.upload(REFUNDS)
    replaced = await room.queue.claim()
    assert replaced is not None
    async with knowledge_room(tmp_path, compute, room.vectors) as successor:
        await successor.do_waiting_jobs()

        with pytest.raises(JobLost):
            await room.ingestion.fail(replaced, "The file is empty.")

        assert len(await room.search.search(LOCAL, "default", "refunds", 9)) == 1
        document = await room.library.document(LOCAL, accepted.document_id)
        assert document.status is DocumentStatus.READY


async def test_deleting_a_document_cancels_its_job_and_leaves_nothing(
    room: KnowledgeRoom, compute: ParagraphCompute
) -> None:
    compute.gate.clear()
    accepted = await room.upload(REFUNDS * 20)
    async with running(room):
        await room.at_stage(accepted.job_id, "embedding")
        await room.library.delete_document(LOCAL, accepted.document_id)
        assert (await room.jobs.get(LOCAL, accepted.job_id)).status is JobStatus.CANCELLED
        compute.gate.set()
        # The slot is free again once the cancelled job has seen it.
        after = await room.upload(PARROTS)
        assert (await room.finished(after.job_id)).status is JobStatus.SUCCEEDED

    await room.library.delete_document(LOCAL, after.document_id)
    await assert_empty(room)


@asynccontextmanager
async def running(room: KnowledgeRoom) -> AsyncIterator[None]:
    """Run the room's jobs in the background while the block lasts."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.runner.run())
        yield
        task.cancel()


def focus(found: FoundPassage) -> str:
    return found.passage.text[found.focus_start : found.focus_end]
