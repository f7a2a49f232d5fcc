"""Collections, documents, jobs and search over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.documents_server import DocumentsClient, assert_problem, documents_server
from tests.support.paragraph_compute import ParagraphCompute

REFUNDS = "Refunds take ten days. Ask the cashier."


@pytest.fixture
def compute() -> ParagraphCompute:
    return ParagraphCompute()


@pytest.fixture
async def client(tmp_path: Path, compute: ParagraphCompute) -> AsyncIterator[DocumentsClient]:
    async with documents_server(tmp_path, compute) as client:
        yield client


async def test_a_document_is_uploaded_found_opened_and_deleted(client: DocumentsClient) -> None:
    accepted = await client.upload(REFUNDS, "refunds.txt")
    assert accepted["duplicate"] is False
    job = await client.finished(accepted["job_id"])
    assert (job["status"], job["progress"], job["error"]) == ("succeeded", 1.0, None)

    (found,) = await client.search("refunds")
    assert (found["text"], found["document_name"]) == (REFUNDS, "refunds.txt")
    assert 0 < found["score"] <= 1
    here = f"/documents/{accepted['document_id']}"
    opened = (await client.http.get(f"{here}/passages/{found['id']}")).json()
    assert opened["text"] == REFUNDS
    document = (await client.http.get(here)).json()
    assert (document["status"], document["collection"]) == ("ready", "default")
    assert document["media_type"] == "text/plain"

    assert (await client.http.delete(here)).status_code == 204
    assert await client.search("refunds") == []
    for path in (here, f"{here}/content", f"{here}/passages/{found['id']}"):
        assert_problem(await client.http.get(path), 404, "not_found")
    assert client.room.blob_count() == 0


async def test_a_file_comes_back_as_it_was_and_is_never_shown(client: DocumentsClient) -> None:
    page = "<script>alert(1)</script>"
    accepted = await client.upload(page, 'my "page" é.html')

    answer = await client.http.get(f"/documents/{accepted['document_id']}/content")

    assert answer.text == page
    escaped = quote('my "page" é.html')
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{escaped}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-length"] == str(len(page))


async def test_documents_are_listed_page_by_page(client: DocumentsClient) -> None:
    names = [f"{number}.txt" for number in range(5)]
    for name in names:
        await client.upload(f"Text of {name}.", name)

    listed: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.http.get("/documents", params=params)).json()
        listed += [document["name"] for document in page["documents"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert listed == names[::-1]


async def test_collections_are_made_listed_and_deleted(client: DocumentsClient) -> None:
    made = await client.http.post("/collections", json={"name": "Hand books"})
    assert made.status_code == 201
    listed = (await client.http.get("/collections")).json()["collections"]
    assert [collection["name"] for collection in listed] == ["Hand books", "default"]
    again = await client.http.post("/collections", json={"name": "Hand books"})
    assert_problem(again, 409, "conflict")
    accepted = await client.upload(REFUNDS, collection="Hand books")
    await client.finished(accepted["job_id"])
    assert len(await client.search("refunds", "Hand books")) == 1
    assert await client.search("refunds") == []

    assert (await client.http.delete("/collections/Hand books")).status_code == 204

    assert_problem(await client.http.get("/collections/Hand books"), 404, "not_found")
    assert_problem(await client.http.delete("/collections/default"), 409, "conflict")


async def test_a_missing_collection_is_told_with_those_that_exist(client: DocumentsClient) -> None:
    await client.http.post("/collections", json={"name": "books"})
    answers = [
        await client.http.post("/search", json={"query": "refunds", "collection": "nope"}),
        await client.http.get("/documents", params={"collection": "nope"}),
        await client.http.post("/documents", files={"file": "x"}, data={"collection": "nope"}),
        await client.http.get("/collections/nope"),
    ]

    for answer in answers:
        problem = assert_problem(answer, 404, "not_found")
        assert "'books', 'default'" in problem["detail"]
    listed = (await client.http.get("/collections")).json()["collections"]
    assert [collection["name"] for collection in listed] == ["books", "default"]
    assert client.room.blob_count() == 0


async def test_the_same_bytes_again_are_the_same_document(client: DocumentsClient) -> None:
    first = await client.upload(REFUNDS, "one.txt")
    again = await client.upload(REFUNDS, "two.txt")

    assert again == {**first, "duplicate": True}


async def test_deleting_a_document_cancels_its_job(
    client: DocumentsClient, compute: ParagraphCompute
) -> None:
    compute.gate.clear()
    accepted = await client.upload(REFUNDS)

    await client.http.delete(f"/documents/{accepted['document_id']}")

    assert (await client.finished(accepted["job_id"]))["status"] == "cancelled"
    compute.gate.set()


async def test_openapi_tells_of_the_upload_and_of_problems(client: DocumentsClient) -> None:
    schema = (await client.http.get("/openapi.json")).json()

    assert schema["openapi"].startswith("3.1")
    upload = schema["paths"]["/api/v1/documents"]["post"]
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    too_large = upload["responses"]["413"]["content"]
    assert "application/problem+json" in too_large
    assert "Problem" in schema["components"]["schemas"]
