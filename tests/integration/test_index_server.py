"""The process that opens the vectors once and serves them to all nodes of a machine."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.infra.qdrant.remote_vector_store import RemoteVectorStore
from core.errors import StorageUnavailable
from core.ids import CollectionId, DocumentId, TenantId
from tests.contract.test_vector_store import BOOKS, US, point, vectors

ROOT = Path(__file__).parents[2]
# Of the embedding model: the process knows no other.
DENSE = [1.0] + [0.0] * 383


@dataclass(frozen=True, slots=True)
class RunningIndex:
    """The process, and where it listens."""

    process: asyncio.subprocess.Process
    url: str

    async def end(self, how: signal.Signals) -> int:
        """End it and return its status."""
        self.process.send_signal(how)
        return await self.process.wait()


@asynccontextmanager
async def index_process(folder: Path, *arguments: str) -> AsyncIterator[RunningIndex]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "scripts.index_server", "--data-dir", str(folder), *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield RunningIndex(process, line.removeprefix("Index is ready: ").strip())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RemoteVectorStore]:
    store = RemoteVectorStore.connect(url)
    yield store
    await store.close()


@pytest.mark.parametrize("arguments", [(), ("--socket", "index.sock")])
async def test_nodes_find_what_another_one_put(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    places = [str(tmp_path / one) if one.endswith(".sock") else one for one in arguments]
    kept = point(dense=DENSE, words={1: 1.0})
    async with (
        index_process(tmp_path, *places) as index,
        connected(index.url) as one,
        connected(index.url) as other,
    ):
        await one.put([kept])

        hits = await other.search(US, BOOKS, vectors(DENSE, {1: 1.0}), limit=3)

        assert [hit.point_id for hit in hits.dense] == [kept.id]
        assert [hit.point_id for hit in hits.sparse] == [kept.id]
        assert hits.dense[0].score == pytest.approx(1.0)


async def test_it_ends_in_order_and_keeps_what_was_put(tmp_path: Path) -> None:
    async with index_process(tmp_path) as index, connected(index.url) as store:
        await store.put([point(dense=DENSE)])
        assert await index.end(signal.SIGTERM) == 0

    async with index_process(tmp_path) as index, connected(index.url) as store:
        assert await store.count(US, BOOKS) == 1


async def test_an_index_that_is_started_again_is_waited_for(tmp_path: Path) -> None:
    place = str(tmp_path / "index.sock")
    async with index_process(tmp_path, "--socket", place) as index, connected(index.url) as store:
        await store.put([point(dense=DENSE)])
        await index.end(signal.SIGKILL)

        async with asyncio.TaskGroup() as group:
            counted = group.create_task(store.count(US, BOOKS))
            again = await group.create_task(_started(tmp_path, place))
        assert counted.result() == 1
        again.kill()
        await again.wait()


async def test_a_second_process_on_the_same_vectors_is_told_in_a_sentence(tmp_path: Path) -> None:
    async with index_process(tmp_path) as index, connected(index.url) as store:
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "scripts.index_server", "--data-dir", str(tmp_path)),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await second.communicate()

        assert second.returncode == 1
        assert b"in use by another server" in told
        assert await store.count(US, BOOKS) == 0


async def test_an_index_that_is_down_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.infra.qdrant.remote_vector_store.PATIENCE_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async with connected(f"http://127.0.0.1:{port}") as store:
        with pytest.raises(StorageUnavailable) as failure:
            await store.count(US, BOOKS)

    assert str(port) not in failure.value.message


async def test_an_index_that_hangs_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.infra.qdrant.remote_vector_store.TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with connected(f"http://127.0.0.1:{silent.getsockname()[1]}") as store:
            with pytest.raises(StorageUnavailable):
                await store.count(US, BOOKS)


async def test_nonsense_is_refused(tmp_path: Path) -> None:
    async with index_process(tmp_path) as index, httpx.AsyncClient(base_url=index.url) as client:
        assert (await client.post("/search", content=b"nonsense")).status_code == 400
        assert (await client.post("/count", content=b"\x92\xa0\xa1c")).status_code == 400
        assert (await client.post("/elsewhere")).status_code == 404


@pytest.mark.parametrize(("tenant", "document"), [("", "book"), ("us", "")])
async def test_nothing_is_sent_without_a_tenant(tenant: str, document: str) -> None:
    async with connected("http://127.0.0.1:1") as store:
        with pytest.raises(ValueError, match="tenant"):
            await store.delete_document(TenantId(tenant), DocumentId(document))
        with pytest.raises(ValueError, match="tenant"):
            await store.count(TenantId(tenant), CollectionId(document))


async def _started(folder: Path, place: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "scripts.index_server", "--data-dir", str(folder), "--socket", place),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process
