"""What `Compute` promises, on the fake and on real worker processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from app.compute.bm25 import encode_passage, encode_query
from app.compute.process_compute import ProcessCompute
from core.errors import UnreadableDocument
from core.ports.compute import Compute, ReadDocument
from core.vectors import TextVectors
from tests.support import documents
from tests.support.fake_compute import DIMENSION, FakeCompute, HashingEmbedder

SENTENCE = "Refunds are paid within ten days of the return. "


@pytest.fixture(params=["fake", "processes"])
async def compute(request: pytest.FixtureRequest) -> AsyncIterator[Compute]:
    if request.param == "fake":
        yield FakeCompute()
        return
    async with ProcessCompute(HashingEmbedder, workers=2, read_timeout_seconds=60) as processes:
        yield processes


def written(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


async def collected(compute: Compute, texts: list[str]) -> list[TextVectors]:
    return [vectors async for batch in compute.embed(texts) for vectors in batch]


async def test_a_file_is_read_with_its_pages_and_its_real_type(
    compute: Compute, tmp_path: Path
) -> None:
    path = written(tmp_path, documents.pdf("First page.", "Second page."))
    document = await compute.read(path, "paper.pdf")
    assert document == ReadDocument("First page.\n\nSecond page.", "application/pdf", (0, 13))


async def test_a_file_that_cannot_be_understood_is_refused_in_a_sentence(
    compute: Compute, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableDocument, match=r"^This PDF file is protected with a password\."):
        await compute.read(written(tmp_path, documents.locked_pdf()), "paper.pdf")


async def test_chunks_point_into_the_text_and_name_pages(compute: Compute) -> None:
    text = SENTENCE * 100
    half = len(text) // 2
    chunks = await compute.chunk(ReadDocument(text, "application/pdf", (0, half)))
    assert {parent.page for parent in chunks.parents} == {1, 2}
    for child in chunks.children:
        parent = chunks.parents[child.parent]
        assert parent.start <= child.start < child.end <= parent.end
        assert text[child.start : child.end].startswith("Refunds")


async def test_vectors_come_in_the_order_of_the_texts_whatever_their_lengths(
    compute: Compute,
) -> None:
    texts = [f"number {n} " * (1 + n * 7 % 11) for n in range(50)]
    found = await collected(compute, texts)
    expected = HashingEmbedder().embed(texts)
    np.testing.assert_array_equal([vectors.dense for vectors in found], expected)
    assert [vectors.sparse for vectors in found] == [encode_passage(text) for text in texts]


async def test_vectors_come_some_at_a_time(compute: Compute) -> None:
    batches = [batch async for batch in compute.embed([SENTENCE] * 50)]
    assert len(batches) > 1
    assert sum(map(len, batches)) == 50


async def test_no_texts_have_no_vectors(compute: Compute) -> None:
    assert await collected(compute, []) == []


async def test_a_question_is_embedded_as_a_question(compute: Compute) -> None:
    vectors = await compute.embed_query("When are refunds paid?")
    assert vectors.dense.shape == (DIMENSION,)
    assert vectors.dense.dtype == np.float32
    assert np.linalg.norm(vectors.dense) == pytest.approx(1, abs=1e-6)
    assert vectors.sparse == encode_query("When are refunds paid?")
