"""Runs a whole cluster, as `make cluster` does."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import httpx

from scripts.cluster.index import index_store
from scripts.cluster.keeper import Keeper
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Places
from scripts.cluster.ports import Ports
from scripts.cluster.postgres import postgres_store
from scripts.cluster.redis import redis_store
from tests.support.colloquy import READY, server_environment, share_weights

STOP_SECONDS = 45
WAIT_SECONDS = 30


@dataclass
class RunningCluster:
    """A cluster that takes connections, and keeps its data in `folder`."""

    url: str
    folder: Path
    process: Popen[str]

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is, through the balancer."""
        return self.url.replace("http", "ws", 1) + "/ws"

    @property
    def record(self) -> dict[str, Any]:
        """What `cluster.json` says now."""
        record: dict[str, Any] = json.loads((self.folder / "cluster.json").read_text())
        return record

    @property
    def pids(self) -> list[int]:
        """The processes that the cluster has started, but for their own children."""
        record = self.record
        parts = [record["balancer"], record["redis"], record["postgres"], *record["nodes"]]
        return [part["pid"] for part in parts if part["pid"]]

    def client(self) -> httpx.AsyncClient:
        """Return a client of its HTTP interface; the caller closes it."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30)

    def log(self, part: str) -> str:
        """Return what a part has said."""
        return (self.folder / "cluster" / f"{part}.log").read_text()

    async def stop(self) -> str:
        """Stop it as a person does; return the rest of what it said."""
        self.process.terminate()
        said, _ = await asyncio.to_thread(self.process.communicate, timeout=STOP_SECONDS)
        return said


@asynccontextmanager
async def running_cluster(
    folder: Path, *arguments: str, **settings: str
) -> AsyncIterator[RunningCluster]:
    """Run a cluster that keeps its data in `folder`, and stop it.

    arguments: as `python -m scripts.cluster --help` lists them.
    """
    share_weights(folder)
    process = cluster_process(folder, *arguments, **settings)
    try:
        yield RunningCluster(await asyncio.to_thread(_address, process), folder, process)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            await asyncio.to_thread(process.communicate, timeout=STOP_SECONDS)
        finally:
            process.kill()


def cluster_process(folder: Path, *arguments: str, **settings: str) -> Popen[str]:
    """Start a cluster; the caller ends it."""
    command = [sys.executable, "-m", "scripts.cluster", *arguments]
    environment = server_environment(folder, settings)
    return Popen(command, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE, text=True)


def is_running(pid: int) -> bool:
    """Return whether there is such a process, but for one that is only not buried yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for something that happens without a word. Raises `TimeoutError`."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


def _address(process: Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise AssertionError(f"the cluster ended with {process.wait()}: {process.stderr.read()}")


@asynccontextmanager
async def shared_stores(folder: Path, nodes: int) -> AsyncIterator[dict[str, str]]:
    """Run Postgres, Redis and the index; give the settings by which nodes share them."""
    places, ports = Places(folder), Ports()
    places.cluster.mkdir(exist_ok=True)
    postgres = postgres_store("", places, ports, "password", 40 * (nodes + 1))
    redis = redis_store("", places, ports, "password")
    index = index_store("", places, ports)
    parts = [store.part for store in (postgres, redis, index) if store.part]
    async with AsyncExitStack() as stack:
        for part in parts:
            log = LogFile(places.cluster / f"{part.name}.log")
            keeper = Keeper(part, log, print, lambda: None)
            stack.push_async_callback(keeper.stop)
            await keeper.start()
        yield {
            "WEBSOCKET_MANAGER_TYPE": "redis",
            "REDIS_URL": redis.url,
            "DATABASE_URL": postgres.url,
            "INDEX_URL": index.url,
        }
