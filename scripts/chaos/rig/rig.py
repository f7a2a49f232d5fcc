"""Starts what a run of the suite needs, in a folder of its own, and ends it."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from core.settings import load_settings
from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.rig.process import RigProcess
from scripts.chaos.rig.proxy import Proxy
from scripts.chaos.rig.stand_ins import start_stand_ins
from scripts.cluster.log_file import LogFile
from scripts.cluster.node import node_part
from scripts.cluster.part import Part, Places
from scripts.cluster.ports import LOOPBACK, Ports
from scripts.cluster.postgres import postgres_store
from scripts.cluster.redis import redis_store
from scripts.cluster.secret import kept_secret

ROOT = Path(__file__).parents[3]
# Nobody listens on port 9: a model that runs on this machine must not answer.
# Connections: a node has two pools of ten, and one that dies leaves its own behind for a while.
_PER_NODE, _SPARE = 40, 40
_UNKEPT = ("--appendonly", "no")
_NO_OLLAMA = "http://127.0.0.1:9"
EFFECTS = "effects.jsonl"


@dataclass(slots=True)
class Node:
    """A node and its links; to_redis, to_postgres: None where the rig has no proxies.

    port: where clients reach it, through `to_node` where there are proxies.
    """

    process: RigProcess
    port: int
    to_redis: Proxy | None = None
    to_postgres: Proxy | None = None
    to_node: Proxy | None = None

    @property
    def name(self) -> str:
        """As in its settings."""
        return self.process.part.name

    @property
    def owner(self) -> str:
        """How the owner of its present process's runs begins; its last one's were others."""
        return f"{self.name}-{self.process.pid}-"

    @property
    def socket_url(self) -> str:
        """Where clients connect."""
        return f"ws://{LOOPBACK}:{self.to_node.port if self.to_node else self.port}/ws"


@dataclass(slots=True)
class Rig:
    """Nodes and their stores, all of it ours.

    database: where the checker reads: the URL past any proxy. redis_url: likewise.
    stores: by name; none where one node keeps everything itself.
    """

    folder: Path
    database: str
    redis_url: str = ""
    stores: dict[str, RigProcess] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    @property
    def effects(self) -> Path:
        """The file in which the sink writes down what tools had it do."""
        return _places(self.folder).data / EFFECTS

    @property
    def redis(self) -> RigProcess:
        """The process of Redis."""
        return self.stores["redis"]

    @property
    def postgres(self) -> RigProcess:
        """The process of Postgres."""
        return self.stores["postgres"]

    def addresses(self, chance: random.Random) -> Addresses:
        """Return all nodes as clients see them."""
        return Addresses([node.socket_url for node in self.nodes], chance)

    def node_of(self, owner: str) -> Node | None:
        """Return the node that a run's owner names; None where that one has died."""
        return next((node for node in self.nodes if owner.startswith(node.owner)), None)

    async def restart(self, node: Node, **environment: str) -> None:
        """Start a node that has ended; return when it serves."""
        await node.process.start(environment)
        await node.process.ready()

    async def restart_redis(self, *, persists: bool) -> None:
        """Start Redis anew, with its file or with nothing that outlives it."""
        await self.redis.kill()
        command = tuple(word for word in self.redis.part.command if word not in _UNKEPT)
        self.redis.part = replace(
            self.redis.part, command=command if persists else (*command, *_UNKEPT)
        )
        await self.redis.start()
        await self.redis.ready()

    async def heal(self) -> None:
        """Start everything that is down, and return when all serves."""
        for process in self.processes:
            if not process.is_up:
                await process.start()
            await process.ready()

    @property
    def processes(self) -> list[RigProcess]:
        """The stores, then the nodes."""
        return [*self.stores.values(), *(node.process for node in self.nodes)]


@asynccontextmanager
async def open_rig(folder: Path, *, nodes: int = 3, proxied: bool = False) -> AsyncIterator[Rig]:
    """Give a rig that serves; leaving ends all of it. Raises `RigError`, `ClusterError`."""
    places, ports = _places(folder), Ports()
    password = kept_secret(places.cluster / "password")
    postgres = postgres_store("", places, ports, password, _SPARE + _PER_NODE * nodes)
    redis = redis_store("", places, ports, password)
    assert postgres.part is not None
    assert redis.part is not None
    async with AsyncExitStack() as stack:
        settings = await _settings(places, stack)
        rig = Rig(folder, postgres.url, redis.url)
        rig.stores["postgres"] = _process(postgres.part, places, stack)
        rig.stores["redis"] = _process(redis.part, places, stack)
        await _start(list(rig.stores.values()))
        shared = {**settings, "WEBSOCKET_MANAGER_TYPE": "redis"}
        for number in range(1, nodes + 1):
            node = await _node(number, rig, shared, ports, places, stack, proxied=proxied)
            rig.nodes.append(node)
        await _start([node.process for node in rig.nodes])
        yield rig


@asynccontextmanager
async def open_single(folder: Path) -> AsyncIterator[Rig]:
    """Give one node that keeps everything in its folder. Raises as `open_rig` does."""
    places, port = _places(folder), Ports().take()
    async with AsyncExitStack() as stack:
        settings = await _settings(places, stack)
        data = _data_folder(places, "node-1")
        part = node_part(1, port, {**settings, "DATA_DIR": str(data)})
        rig = Rig(folder, str(data / "colloquy.sqlite"))
        rig.nodes.append(Node(_process(part, places, stack), port))
        await _start([rig.nodes[0].process])
        yield rig


def _places(folder: Path) -> Places:
    places = Places((folder / "data").resolve())
    places.cluster.mkdir(parents=True, exist_ok=True)
    return places


def _data_folder(places: Places, name: str) -> Path:
    """Return a node's own folder: no documents are shared here, so no index need run."""
    folder = places.data / name
    folder.mkdir(exist_ok=True)
    models = folder / "models"
    if not models.exists():
        # The embedding model is large, and the same for everybody who works on this checkout.
        models.symlink_to((ROOT / load_settings().data_dir / "models").resolve())
    return folder


async def _settings(places: Places, stack: AsyncExitStack) -> dict[str, str]:
    return {
        **await start_stand_ins(places, places.data / EFFECTS, stack),
        "OLLAMA_URL": _NO_OLLAMA,
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
    }


async def _node(
    number: int,
    rig: Rig,
    shared: dict[str, str],
    ports: Ports,
    places: Places,
    stack: AsyncExitStack,
    *,
    proxied: bool,
) -> Node:
    port = ports.take()
    shared = {**shared, "DATA_DIR": str(_data_folder(places, f"node-{number}"))}
    if not proxied:
        urls = {"DATABASE_URL": rig.database, "REDIS_URL": rig.redis_url}
        part = node_part(number, port, {**shared, **urls})
        return Node(_process(part, places, stack), port)
    to_postgres, database = await _link(rig.database, stack)
    to_redis, redis = await _link(rig.redis_url, stack)
    to_node, _ = await _link(f"ws://{LOOPBACK}:{port}/ws", stack)
    part = node_part(number, port, {**shared, "DATABASE_URL": database, "REDIS_URL": redis})
    return Node(_process(part, places, stack), port, to_redis, to_postgres, to_node)


async def _link(url: str, stack: AsyncExitStack) -> tuple[Proxy, str]:
    """Return a proxy in front of a URL, and the URL through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or LOOPBACK, parts.port or 0)
    await proxy.start()
    stack.push_async_callback(proxy.stop)
    credentials, _, _ = parts.netloc.rpartition("@")
    place = f"{LOOPBACK}:{proxy.port}"
    netloc = f"{credentials}@{place}" if credentials else place
    return proxy, urlunsplit(parts._replace(netloc=netloc))


def _process(part: Part, places: Places, stack: AsyncExitStack) -> RigProcess:
    process = RigProcess(part, LogFile(places.cluster / f"{part.name}.log"))
    stack.push_async_callback(process.stop)
    return process


async def _start(processes: Sequence[RigProcess]) -> None:
    for process in processes:
        await process.start()
    async with asyncio.TaskGroup() as group:
        for process in processes:
            group.create_task(process.ready())
