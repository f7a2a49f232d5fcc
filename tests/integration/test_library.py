"""Documents taken in, searched and removed, on real stores."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from core.errors import Busy, Conflict, InvalidRequest, NotFound, TooLarge
from core.ids import DocumentId, PassageId
from core.ports.vector_store import VectorPoint
from core.principal import LOCAL
from tests.support.fake_vector_store import FakeVectorStore
from tests.support.knowledge import FILE_LIMIT_BYTES, KnowledgeRoom, assert_empty, knowledge_room
from tests.support.paragraph_compute import ParagraphCompute
from tests.support.sql import STRANGER

REFUNDS = "Refunds take ten days. Ask the cashier."
PARROTS = "Parrots talk. They live long."


@pytest.fixture
def compute() -> ParagraphCompute:
    return ParagraphCompute()


@pytest.fixture
async def room(tmp_path: Path, compute: ParagraphCompute) -> AsyncIterator[KnowledgeRoom]:
    async with knowledge_room(tmp_path, compute, FakeVectorStore()) as room:
        yield room


async def test_every_found_passage_can_be_opened(room: KnowledgeRoom) -> None:
    accepted = await room.upload(f"{PARROTS}\n{REFUNDS}")
    await room.do_waiting_jobs()
    found = await room.search.search(LOCAL, "default", "parrots", 5)

    for item in found:
        opened = await room.library.passage(LOCAL, accepted.document_id, item.passage.id)
        assert opened == item.passage
    ids = [item.passage.id for item in found]
    assert set(await room.search.passages(LOCAL, [*ids, PassageId("gone")])) == set(ids)


async def test_a_passage_opens_under_its_own_document_only(room: KnowledgeRoom) -> None:
    first = await room.upload(PARROTS)
    second = await room.upload(REFUNDS)
    await room.do_waiting_jobs()
    (item,) = [
        item
        for item in await room.search.search(LOCAL, "default", "parrots", 5)
        if item.passage.document_id == first.document_id
    ]

    with pytest.raises(NotFound):
        await room.library.passage(LOCAL, second.document_id, item.passage.id)


async def test_a_search_gives_no_more_than_asked_for(room: KnowledgeRoom) -> None:
    await room.upload("\n".join(f"Parrot number {number} talks." for number in range(20)))
    await room.do_waiting_jobs()

    assert len(await room.search.search(LOCAL, "default", "parrot", 4)) == 4


async def test_what_is_not_ready_yet_gives_way_to_the_next_best(
    room: KnowledgeRoom, compute: ParagraphCompute
) -> None:
    await room.upload("\n".join(f"Parrot number {number} talks." for number in range(20)))
    await room.do_waiting_jobs()
    collection = await room.library.collection(LOCAL, "default")
    nearest = await compute.embed_query("parrot")
    unready = [
        VectorPoint(
            id=uuid4(),
            tenant_id=LOCAL.tenant_id,
            collection_id=collection.id,
            document_id=DocumentId("unready"),
            passage_id=PassageId(f"unready {number}"),
            start=0,
            end=6,
            vectors=nearest,
        )
        for number in range(3)
    ]
    await room.vectors.put(unready)

    found = await room.search.search(LOCAL, "default", "parrot", 4)

    assert len({item.passage.id for item in found}) == 4
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


async def test_a_deleted_document_is_gone(room: KnowledgeRoom) -> None:
    accepted = await room.upload(REFUNDS)
    await room.do_waiting_jobs()
    (found,) = await room.search.search(LOCAL, "default", "refunds", 3)

    await room.library.delete_document(LOCAL, accepted.document_id)

    assert await room.search.search(LOCAL, "default", "refunds", 3) == []
    assert await room.search.passages(LOCAL, [found.passage.id]) == {}
    with pytest.raises(NotFound):
        await room.library.document(LOCAL, accepted.document_id)
    with pytest.raises(NotFound):
        await room.library.delete_document(LOCAL, accepted.document_id)
    await assert_empty(room)


async def test_the_same_file_again_is_the_same_document(room: KnowledgeRoom) -> None:
    first = await room.upload(REFUNDS, "a.txt")
    await room.do_waiting_jobs()

    again = await room.upload(REFUNDS, "b.txt")

    assert again.is_duplicate
    assert (again.document_id, again.job_id) == (first.document_id, first.job_id)
    assert len(await room.search.search(LOCAL, "default", "refunds", 9)) == 1
    assert room.blob_count() == 1


async def test_a_collection_goes_with_its_documents(room: KnowledgeRoom) -> None:
    await room.library.add_collection(LOCAL, "books")
    await room.upload(REFUNDS, collection="books")
    await room.upload(PARROTS, collection="books")
    await room.do_waiting_jobs()

    await room.library.delete_collection(LOCAL, "books")

    with pytest.raises(NotFound):
        await room.search.search(LOCAL, "books", "refunds", 3)
    await assert_empty(room)


async def test_the_default_collection_stays(room: KnowledgeRoom) -> None:
    with pytest.raises(Conflict):
        await room.library.delete_collection(LOCAL, "default")


async def test_no_collection_appears_by_itself(room: KnowledgeRoom) -> None:
    with pytest.raises(NotFound, match="There are: 'default'"):
        await room.search.search(LOCAL, "nope", "refunds", 3)
    with pytest.raises(NotFound, match="There are: 'default'"):
        await room.upload(REFUNDS, collection="nope")
    with pytest.raises(NotFound, match="There are: 'default'"):
        await room.search.has_documents(LOCAL, "nope")

    assert [one.name for one in await room.library.collections(LOCAL)] == ["default"]
    assert room.blob_count() == 0


async def test_a_tenant_finds_its_own_only(room: KnowledgeRoom) -> None:
    mine = await room.upload(REFUNDS)
    theirs = await room.upload(REFUNDS, principal=STRANGER)
    await room.do_waiting_jobs()

    (found,) = await room.search.search(STRANGER, "default", "refunds", 9)

    assert found.passage.document_id == theirs.document_id
    with pytest.raises(NotFound):
        await room.library.content(STRANGER, mine.document_id)
    with pytest.raises(NotFound):
        await room.library.delete_document(STRANGER, mine.document_id)


async def test_a_file_over_the_limit_is_refused_and_leaves_nothing(room: KnowledgeRoom) -> None:
    with pytest.raises(TooLarge):
        await room.upload(b"x" * (FILE_LIMIT_BYTES + 1))

    await assert_empty(room)


async def test_a_file_without_a_name_is_refused(room: KnowledgeRoom) -> None:
    with pytest.raises(InvalidRequest):
        await room.upload(REFUNDS, "../")


async def test_a_full_queue_says_when_to_come_back(
    tmp_path: Path, compute: ParagraphCompute
) -> None:
    async with knowledge_room(tmp_path, compute, FakeVectorStore(), queue_limit=1) as room:
        await room.upload(REFUNDS)

        with pytest.raises(Busy) as refusal:
            await room.upload(PARROTS)

        assert refusal.value.retry_after_seconds
        assert room.blob_count() == 1
