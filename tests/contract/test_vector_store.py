"""What every vector store does: the fake, Edge, here or in the index process, and the client.

With a server where one is.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from app.infra.qdrant.edge_vector_store import EdgeVectorStore
from app.infra.qdrant.index_app import IndexApp
from app.infra.qdrant.qdrant_vector_store import QdrantVectorStore
from app.infra.qdrant.remote_vector_store import RemoteVectorStore
from core.ids import CollectionId, DocumentId, PassageId, TenantId
from core.ports.vector_store import VectorPoint, VectorStore
from core.vectors import SparseVector, TextVectors
from tests.support.fake_vector_store import FakeVectorStore
from tests.support.served import serving

DIMENSION = 4
SERVER = os.environ.get("QDRANT_TEST_URL", "")

US, THEM = TenantId("us"), TenantId("them")
BOOKS, NOTES = CollectionId("books"), CollectionId("notes")

# The client's own in-memory mode says that it has no payload indexes.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

needs_server = pytest.mark.skipif(not SERVER, reason="QDRANT_TEST_URL names no server")


@pytest.fixture(
    params=["fake", "edge", "remote", "client", pytest.param("server", marks=needs_server)],
)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorStore]:
    match request.param:
        case "fake":
            yield FakeVectorStore()
        case "edge":
            edge = EdgeVectorStore.open(tmp_path, DIMENSION)
            yield edge
            await edge.close()
        case "remote":
            edge = EdgeVectorStore.open(tmp_path, DIMENSION)
            async with serving(IndexApp(edge)) as url:
                remote = RemoteVectorStore.connect(url)
                yield remote
                await remote.close()
            await edge.close()
        case "client":
            local = QdrantVectorStore(AsyncQdrantClient(":memory:"), dimension=DIMENSION)
            yield local
            await local.close()
        case _:
            client = AsyncQdrantClient(url=SERVER)
            name = f"colloquy-test-{uuid4()}"
            yield QdrantVectorStore(client, name, DIMENSION)
            await client.delete_collection(name)
            await client.close()


async def test_the_nearest_chunk_comes_first(store: VectorStore) -> None:
    near, far = point(dense=[1, 0.1, 0, 0]), point(dense=[0, 1, 0, 0])
    await store.put([far, near])

    hits = await store.search(US, BOOKS, vectors([1, 0, 0, 0]), limit=10)

    assert [hit.point_id for hit in hits.dense] == [near.id, far.id]
    assert hits.dense[0].score == pytest.approx(0.995, abs=0.001)
    assert hits.dense[1].score == pytest.approx(0, abs=0.001)


async def test_a_hit_tells_where_the_chunk_stands(store: VectorStore) -> None:
    kept = point(start=7, end=21, words={5: 1.0})
    await store.put([kept])

    hits = await store.search(US, BOOKS, vectors(words={5: 1.0}), limit=10)

    for hit in (*hits.dense, *hits.sparse):
        assert (hit.document_id, hit.passage_id) == (kept.document_id, kept.passage_id)
        assert (hit.start, hit.end) == (7, 21)


async def test_a_rare_word_outweighs_a_common_one(store: VectorStore) -> None:
    rare = point(words={1: 1.0})
    common = [point(words={2: 1.0}) for _ in range(5)]
    await store.put([*common, rare])

    hits = await store.search(US, BOOKS, vectors(words={1: 1.0, 2: 1.0}), limit=10)

    assert hits.sparse[0].point_id == rare.id
    assert len(hits.sparse) == 6
    assert all(hit.score > 0 for hit in hits.sparse)


async def test_a_chunk_without_the_words_is_no_lexical_hit(store: VectorStore) -> None:
    await store.put([point(words={1: 1.0})])

    hits = await store.search(US, BOOKS, vectors(words={2: 1.0}), limit=10)

    assert hits.sparse == ()
    assert len(hits.dense) == 1


async def test_a_question_without_words_has_no_lexical_hits(store: VectorStore) -> None:
    await store.put([point(words={1: 1.0})])

    assert (await store.search(US, BOOKS, vectors(), limit=10)).sparse == ()


async def test_no_more_hits_than_asked_for(store: VectorStore) -> None:
    await store.put([point(words={1: 1.0}) for _ in range(5)])

    hits = await store.search(US, BOOKS, vectors(words={1: 1.0}), limit=3)

    assert (len(hits.dense), len(hits.sparse)) == (3, 3)


async def test_a_search_before_the_first_chunk_finds_nothing(store: VectorStore) -> None:
    hits = await store.search(US, BOOKS, vectors(words={1: 1.0}), limit=10)

    assert (hits.dense, hits.sparse) == ((), ())
    assert await store.count(US, BOOKS) == 0


async def test_no_search_reaches_another_tenant_or_collection(store: VectorStore) -> None:
    mine = point(words={1: 1.0})
    theirs = point(tenant=THEM, words={1: 1.0})
    elsewhere = point(collection=NOTES, words={1: 1.0})
    await store.put([mine, theirs, elsewhere])

    hits = await store.search(US, BOOKS, vectors(words={1: 1.0}), limit=10)

    assert [hit.point_id for hit in hits.dense] == [mine.id]
    assert [hit.point_id for hit in hits.sparse] == [mine.id]
    assert await store.count(US, BOOKS) == 1


async def test_other_tenants_words_do_not_show_in_the_scores(store: VectorStore) -> None:
    await store.put([point(words={1: 1.0}), point(words={2: 1.0})])
    asked = vectors(words={1: 1.0})
    before = (await store.search(US, BOOKS, asked, limit=10)).sparse[0].score

    await store.put([point(tenant=THEM, words={1: 1.0}) for _ in range(20)])
    after = (await store.search(US, BOOKS, asked, limit=10)).sparse[0].score

    assert after == pytest.approx(before)


@pytest.mark.parametrize(("tenant", "collection"), [("", BOOKS), (US, "")])
async def test_a_search_without_tenant_or_collection_is_refused(
    store: VectorStore, tenant: str, collection: str
) -> None:
    with pytest.raises(ValueError, match="tenant"):
        await store.search(TenantId(tenant), CollectionId(collection), vectors(), limit=1)


async def test_a_chunk_put_again_is_replaced(store: VectorStore) -> None:
    one = uuid4()
    await store.put([point(id=one, words={1: 1.0})])
    await store.put([point(id=one, words={2: 1.0})])

    assert await store.count(US, BOOKS) == 1
    assert (await store.search(US, BOOKS, vectors(words={1: 1.0}), limit=10)).sparse == ()
    assert len((await store.search(US, BOOKS, vectors(words={2: 1.0}), limit=10)).sparse) == 1


async def test_more_chunks_than_one_write_holds_all_arrive(store: VectorStore) -> None:
    await store.put([point() for _ in range(300)])

    assert await store.count(US, BOOKS) == 300


async def test_a_deleted_document_is_not_found(store: VectorStore) -> None:
    gone, kept = DocumentId("gone"), DocumentId("kept")
    await store.put([point(document=gone), point(document=gone), point(document=kept)])

    await store.delete_document(US, gone)

    hits = await store.search(US, BOOKS, vectors(), limit=10)
    assert [hit.document_id for hit in hits.dense] == [kept]
    await store.delete_document(US, gone)


async def test_nobody_deletes_another_tenants_document(store: VectorStore) -> None:
    shared = DocumentId("shared")
    await store.put([point(document=shared), point(tenant=THEM, document=shared)])

    await store.delete_document(US, shared)

    assert await store.count(US, BOOKS) == 0
    assert await store.count(THEM, BOOKS) == 1


def point(
    *,
    id: UUID | None = None,
    tenant: TenantId = US,
    collection: CollectionId = BOOKS,
    document: DocumentId | None = None,
    start: int = 0,
    end: int = 10,
    dense: list[float] | None = None,
    words: dict[int, float] | None = None,
) -> VectorPoint:
    return VectorPoint(
        id=id or uuid4(),
        tenant_id=tenant,
        collection_id=collection,
        document_id=document or DocumentId("book"),
        passage_id=PassageId(str(uuid4())),
        start=start,
        end=end,
        vectors=vectors(dense, words),
    )


def vectors(dense: list[float] | None = None, words: dict[int, float] | None = None) -> TextVectors:
    direction = np.array(dense or [0, 0, 0, 1], dtype=np.float32)
    terms = sorted((words or {}).items())
    sparse = SparseVector(tuple(term for term, _ in terms), tuple(value for _, value in terms))
    return TextVectors(direction / np.linalg.norm(direction), sparse)
