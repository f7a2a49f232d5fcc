"""Documents over HTTP with the real readers, chunker, embedder and vector store."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.compute.process_compute import ProcessCompute
from app.infra.embedding.onnx_embedder import load_embedder
from tests.support import documents
from tests.support.compute_weights import models_folder
from tests.support.documents_server import DocumentsClient, documents_server

RECIPE = "Knead the dough for ten minutes and let it rise in a warm place."
REFUND = "Customers get their money back within fourteen days of the return."
PARROT = "Parrots are clever birds that live for sixty years and can learn to talk."


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[DocumentsClient]:
    embedder = partial(load_embedder, models_folder(), None)
    async with (
        ProcessCompute(embedder, workers=1, read_timeout_seconds=60) as compute,
        documents_server(tmp_path, compute) as client,
    ):
        yield client


async def test_every_kind_of_file_is_found_by_what_it_means(client: DocumentsClient) -> None:
    accepted = [
        await client.upload(documents.pdf(RECIPE, REFUND), "terms.pdf"),
        await client.upload(documents.docx(PARROT), "birds.docx"),
        await client.upload(documents.html("Bread", f"<p>{RECIPE}</p>"), "bread.html"),
        await client.upload(f"# Shop\n\n{REFUND}\n", "shop.md"),
        await client.upload("Der Zug nach München fährt um acht Uhr.", "fahrplan.txt"),
    ]
    for answer in accepted:
        job = await client.finished(answer["job_id"])
        assert job["status"] == "succeeded", job["error"]

    # Not one word of it stands in the documents.
    found = await client.search("How long until I am reimbursed?")
    assert {passage["document_name"] for passage in found[:2]} == {"terms.pdf", "shop.md"}
    (paged,) = [item for item in found[:2] if item["document_name"] == "terms.pdf"]
    assert paged["page"] == 2
    assert paged["text"] == REFUND
    assert (await client.search("talking animals"))[0]["document_name"] == "birds.docx"
    # And a word that the English model does not know is found as a word.
    assert (await client.search("München"))[0]["document_name"] == "fahrplan.txt"


async def test_files_that_cannot_be_read_fail_with_a_sentence(client: DocumentsClient) -> None:
    bad = {
        "empty.txt": b"",
        "locked.pdf": documents.locked_pdf(),
        "scan.pdf": documents.pdf_without_text(),
        "broken.pdf": documents.pdf(RECIPE)[:60],
        "program.pdf": b"MZ\x90\x00" + bytes(500),
        "broken.docx": documents.docx(PARROT)[:80],
    }
    accepted = {name: await client.upload(content, name) for name, content in bad.items()}

    for name, answer in accepted.items():
        job = await client.finished(answer["job_id"])
        assert job["status"] == "failed", name
        assert job["error"].endswith("."), name
        assert len(job["error"].split()) > 3, name
    assert await client.search("dough parrots") == []
    assert client.room.blob_count() == 0
    good = await client.upload(PARROT, "birds.txt")
    assert (await client.finished(good["job_id"]))["status"] == "succeeded"
