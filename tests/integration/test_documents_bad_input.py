"""What bad input of collections, documents and search gets over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.documents_server import DocumentsClient, assert_problem, documents_server
from tests.support.knowledge import FILE_LIMIT_BYTES
from tests.support.paragraph_compute import ParagraphCompute

REFUNDS = "Refunds take ten days. Ask the cashier."


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[DocumentsClient]:
    async with documents_server(tmp_path, ParagraphCompute()) as client:
        yield client


@pytest.mark.parametrize("content", [b"", b"   \n", b"\xff\xfe\x00\x01"])
async def test_a_bad_file_ends_as_a_failed_job(client: DocumentsClient, content: bytes) -> None:
    accepted = await client.upload(content, "bad.txt")

    job = await client.finished(accepted["job_id"])

    assert job["status"] == "failed"
    assert "bad.txt" in job["error"]
    document = (await client.http.get(f"/documents/{accepted['document_id']}")).json()
    assert (document["status"], document["passage_count"]) == ("failed", 0)
    assert await client.search("bad") == []
    assert client.room.blob_count() == 0


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\plans\\x.txt", "x.txt"),
        ("tab\there.txt", "tab here.txt"),
        ("y" * 300 + ".txt", "y" * 195 + "….txt"),
    ],
)
async def test_a_strange_name_becomes_a_plain_one(
    client: DocumentsClient, sent: str, shown: str
) -> None:
    body = multipart(f'form-data; name="file"; filename="{sent}"', REFUNDS.encode())

    accepted = (await post_raw(client, body)).json()

    document = (await client.http.get(f"/documents/{accepted['document_id']}")).json()
    assert document["name"] == shown


@pytest.mark.parametrize("name", ["", "..", "folder/", "\u202e"])
async def test_a_file_without_a_name_is_refused(client: DocumentsClient, name: str) -> None:
    body = multipart(f'form-data; name="file"; filename="{name}"', b"text")

    assert_problem(await post_raw(client, body), 422, "invalid_request")
    assert client.room.blob_count() == 0


async def test_an_upload_without_a_file_is_refused(client: DocumentsClient) -> None:
    answers = [
        await client.http.post("/documents", files={"wrong": ("a.txt", "x")}),
        await client.http.post("/documents", data={"file": "not a file"}),
        await client.http.post("/documents", json={"file": "x"}),
        await client.http.post("/documents"),
        await post_raw(client, multipart('form-data; name="file"', b"a field, not a file")),
    ]

    for answer in answers:
        problem = assert_problem(answer, 422, "invalid_request")
        assert "'file'" in problem["detail"]


async def test_two_files_at_once_are_refused(client: DocumentsClient) -> None:
    files = [("file", ("a.txt", "x")), ("file", ("b.txt", "y"))]

    assert_problem(await client.http.post("/documents", files=files), 400, "invalid_request")


async def test_a_broken_form_is_refused(client: DocumentsClient) -> None:
    form = {"content-type": "multipart/form-data"}
    bounded = {"content-type": "multipart/form-data; boundary=x"}
    for headers, body in ((form, b"?"), (bounded, b"nothing of the kind"), (bounded, b"--x\r\n")):
        answer = await client.http.post("/documents", headers=headers, content=body)
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] == "invalid_request"


async def test_a_file_over_the_limit_is_refused(client: DocumentsClient) -> None:
    just_over = b"x" * (FILE_LIMIT_BYTES + 1)
    far_over = b"x" * (FILE_LIMIT_BYTES * 8)

    for content in (just_over, far_over):
        answer = await client.http.post("/documents", files={"file": ("big.txt", content)})
        problem = assert_problem(answer, 413, "too_large")
        assert str(FILE_LIMIT_BYTES) in problem["detail"]
    accepted = await client.upload(just_over[:-1])
    assert (await client.finished(accepted["job_id"]))["status"] == "succeeded"


async def test_a_file_of_unsaid_length_is_cut_off_at_the_limit(client: DocumentsClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(64):
            yield b"x" * (FILE_LIMIT_BYTES // 16)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.http.post("/documents", headers=headers, content=endless())

    assert_problem(answer, 413, "too_large")
    assert client.room.blob_count() == 0


async def test_an_upload_that_breaks_off_leaves_nothing(client: DocumentsClient) -> None:
    address = urlsplit(str(client.http.base_url))
    assert address.hostname is not None
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nbegun'
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    # The server goes on, and has kept nothing of it.
    page = (await client.http.get("/documents")).json()
    assert page["documents"] == []
    assert client.room.blob_count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"query": ""}',
        b'{"query": "  "}',
        b'{"query": "x", "limit": 0}',
        b'{"query": "x", "limit": 51}',
        b'{"query": "x", "unknown": 1}',
        b'{"query": 5}',
        b'{"query": "\\ud800"}',
        b'{"query": "\xff"}',
        b"not json",
        b"[" * 10_000,
        b'{"query": "' + b"x" * 4001 + b'"}',
    ],
)
async def test_a_bad_question_is_refused(client: DocumentsClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}

    answer = await client.http.post("/search", headers=headers, content=body)

    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    "path",
    [
        "/documents?cursor=nonsense",
        "/documents?cursor=MjAyNi0wMS0wMVQwMDowMDowMCBpZA==",
        "/documents?limit=0",
        "/documents?limit=many",
    ],
)
async def test_a_bad_page_is_refused(client: DocumentsClient, path: str) -> None:
    assert_problem(await client.http.get(path), 422, "invalid_request")


@pytest.mark.parametrize("name", ["", " ", "../x", "a/b", "x" * 65, "a\u0000b"])
async def test_a_bad_name_of_a_collection_is_refused(client: DocumentsClient, name: str) -> None:
    answer = await client.http.post("/collections", json={"name": name})

    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "path", ["/jobs/nope", "/documents/nope", "/documents/..%2F..%2Fx/content", "/nope"]
)
async def test_what_is_not_there_is_a_problem_too(client: DocumentsClient, path: str) -> None:
    assert_problem(await client.http.get(path), 404, "not_found")


def multipart(disposition: str, content: bytes) -> bytes:
    return b"--x\r\nContent-Disposition: %s\r\n\r\n%s\r\n--x--\r\n" % (
        disposition.encode(),
        content,
    )


async def post_raw(client: DocumentsClient, body: bytes) -> httpx.Response:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    return await client.http.post("/documents", headers=headers, content=body)
