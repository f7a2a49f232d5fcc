"""What `deploy/` ships is true: it parses, names what exists, and the balancers do as they say."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped] # it has no types of its own
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Request, Response

from core.settings import Settings
from scripts.cluster.balancer import Front, balancer
from scripts.cluster.keeper import Keeper
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Places
from scripts.cluster.ports import Ports

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = ("node-1", "node-2", "node-3")
BALANCERS = ("nginx", "haproxy", "relay")


def program(name: str) -> str:
    """Return where a program is; the test is skipped where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def test_nginx_takes_the_shipped_configuration() -> None:
    command = [program("nginx"), "-t", "-c", str(DEPLOY / "nginx.conf")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_haproxy_takes_the_shipped_configuration() -> None:
    command = [program("haproxy"), "-c", "-f", str(DEPLOY / "haproxy.cfg")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_the_nodes_get_settings_that_exist_and_are_in_range() -> None:
    for name in NODES:
        environment = SERVICES[name]["environment"]
        assert {key.lower() for key in environment} <= set(Settings.model_fields)
        plain = {key.lower(): plain_value(value) for key, value in environment.items()}
        settings = Settings.model_validate(plain)
        assert settings.node_name == name
        assert settings.websocket_manager_type == "redis"


def plain_value(value: str) -> str:
    """Return a value as Compose makes it where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)}", r"\1", value)


def test_the_balancers_hand_on_to_the_ports_of_the_nodes() -> None:
    ports = {SERVICES[name]["environment"]["PORT"] for name in NODES}
    for name in ("nginx.conf", "haproxy.cfg"):
        text = (DEPLOY / name).read_text()
        assert set(re.findall(r"server (?:node-\d )?127\.0\.0\.1:(\d+)", text)) == ports


def test_nothing_is_published_but_the_page_on_loopback() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:${PORT:-8000}:8000"]
    assert {SERVICES[name]["network_mode"] for name in NODES} == {"service:balancer"}


def test_services_volumes_and_files_that_are_named_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (
                (DEPLOY / source).exists()
                if source.startswith(".")
                else source in COMPOSE["volumes"]
            )
        if build := service.get("build"):
            assert (DEPLOY / build["context"] / build["dockerfile"]).exists()


def test_every_service_but_the_one_that_ends_is_asked_whether_it_is_well() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    assert "HEALTHCHECK" in image
    without = {name for name, each in SERVICES.items() if "healthcheck" not in each}
    assert without == set(NODES)


def test_the_image_is_made_of_files_that_exist() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", image, flags=re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
    assert image.rindex("USER colloquy") > image.rindex("RUN ")


def test_the_limits_of_the_balancers_are_those_of_the_settings() -> None:
    front = Front.from_settings(Settings(_env_file=None), 8000, [8001])
    nginx, haproxy = ((DEPLOY / name).read_text() for name in ("nginx.conf", "haproxy.cfg"))
    assert f"client_max_body_size {front.upload_bytes};" in nginx
    assert f"proxy_read_timeout {front.silence_seconds}s;" in nginx
    assert f"body_size gt {front.upload_bytes} " in haproxy
    assert f"timeout tunnel {front.silence_seconds}s" in haproxy


class FakeNode:
    """A server as a balancer sees it: it says its name, whether it is ready, and echoes."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.is_ready = True

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        """Serve while the block runs."""
        async with serve(
            self.echo, "127.0.0.1", self.port, process_request=self.answer, compression=None
        ) as server:
            yield server

    async def echo(self, client: ServerConnection) -> None:
        """Say who is asked by which name, then what is heard."""
        assert client.request is not None
        await client.send(f"{self.name} {client.request.headers['Host']}")
        async for message in client:
            await client.send(message)

    def answer(self, client: ServerConnection, request: Request) -> Response | None:
        """Answer what is no handshake; refuse everything where the node is not ready."""
        if not self.is_ready:
            return client.respond(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
        if request.path == "/ws":
            return None
        body = f"{self.name} {request.headers['Host']}".encode()
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(HTTPStatus.OK, "OK", headers, body)


@asynccontextmanager
async def balanced(name: str, folder: Path, nodes: list[FakeNode]) -> AsyncIterator[str]:
    """Run a balancer before nodes; give HOST:PORT."""
    if name != "relay":
        program(name)
    places = Places(folder)
    places.cluster.mkdir()
    port = Ports().take()
    front = Front.from_settings(Settings(_env_file=None), port, [node.port for node in nodes])
    log = LogFile(places.cluster / "balancer.log")
    keeper = Keeper(balancer(front, places, name), log, print, lambda: None)
    await keeper.start()
    try:
        yield front.address
    finally:
        await keeper.stop()


def fake_nodes() -> list[FakeNode]:
    """Return two nodes on free ports."""
    ports = Ports()
    return [FakeNode("a", ports.take()), FakeNode("b", ports.take())]


async def names(address: str, count: int) -> list[str]:
    """Return who answers so many requests."""
    async with httpx.AsyncClient(trust_env=False, headers={"Connection": "close"}) as http:
        answers = [await http.get(f"http://{address}/") for _ in range(count)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text.split()[1] for answer in answers} == {address}
    return [answer.text.split()[0] for answer in answers]


@pytest.mark.parametrize("name", BALANCERS)
async def test_a_balancer_takes_all_nodes_and_skips_those_that_are_gone(
    name: str, tmp_path: Path
) -> None:
    nodes = fake_nodes()
    async with AsyncExitStack() as stack:
        for node in nodes[1:]:
            await stack.enter_async_context(node.serving())
        async with nodes[0].serving():
            address = await stack.enter_async_context(balanced(name, tmp_path, nodes))
            assert set(await names(address, 8)) == {"a", "b"}
        assert set(await names(address, 8)) == {"b"}


@pytest.mark.parametrize("name", BALANCERS)
async def test_a_node_that_is_about_to_stop_gets_no_new_sockets(name: str, tmp_path: Path) -> None:
    nodes = fake_nodes()
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.serving())
        address = await stack.enter_async_context(balanced(name, tmp_path, nodes))
        nodes[0].is_ready = False
        if name == "relay":
            # It doesn't read answers: it knows when it has asked.
            await asyncio.sleep(0)
            async with asyncio.timeout(10):
                while "a" in [await greeted(address) for _ in range(4)]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        assert {await greeted(address) for _ in range(6)} == {"b"}


async def greeted(address: str) -> str:
    """Return the name of the node that takes a socket, after an echo; `a` where it is refused."""
    try:
        async with connect(f"ws://{address}/ws", proxy=None, compression=None) as wire:
            name, called = str(await wire.recv()).split()
            assert called == address
            await wire.send("x" * 100_000)
            assert await wire.recv() == "x" * 100_000
            return name
    except InvalidHandshake:
        return "a"


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
async def test_a_body_above_the_limit_is_refused_at_the_door(name: str, tmp_path: Path) -> None:
    nodes = fake_nodes()
    async with nodes[0].serving(), balanced(name, tmp_path, nodes[:1]) as address:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: 99999999\r\n\r\n".encode()
        )
        async with asyncio.timeout(10):
            assert (await reader.readline()).split()[1] == b"413"
        writer.close()
