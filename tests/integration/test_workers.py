"""The application under servers that somebody else starts: uvicorn's and gunicorn's own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import httpx
import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from app.server import USER_TIMEOUT_MS, AdoptedServer, HostedApplication
from core.settings import Settings
from tests.support.chat_client import chat_client
from tests.support.cluster import shared_stores, until
from tests.support.colloquy import RunningServer, server_environment, share_weights

GUNICORN = ("-m", "gunicorn", "main:app", "--no-control-socket", "--bind", "{host}:{port}")
UVICORN = ("-m", "uvicorn", "main:app", "--host", "{host}", "--port", "{port}")
COMMANDS = {
    "gunicorn": (*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker"),
    "gunicorn with uvicorn's own worker": (
        *GUNICORN,
        *("--worker-class", "uvicorn.workers.UvicornWorker"),
    ),
    "uvicorn": UVICORN,
}
REFUSED = 3
END_SECONDS = 40
SLOW = "Tell me slowly [[tokens=20 rate=20]]"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def process_of(
    folder: Path,
    name: str,
    workers: int,
    host: str = "127.0.0.1",
    port: int | None = None,
    **settings: str,
) -> Popen[str]:
    """Start a server with so many workers; the caller ends it."""
    share_weights(folder)
    places = {"host": host, "port": str(port or free_port())}
    arguments = [word.format(**places) for word in COMMANDS[name]]
    return Popen(
        [sys.executable, *arguments, "--workers", str(workers)],
        cwd=folder,
        env=server_environment(folder, settings),
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    )


@asynccontextmanager
async def hosted(
    folder: Path, name: str, workers: int = 1, /, **settings: str
) -> AsyncIterator[RunningServer]:
    """Run the application under a server until the block ends."""
    port = free_port()
    process = process_of(folder, name, workers, port=port, **settings)
    server = RunningServer(f"http://127.0.0.1:{port}", folder, process)

    async def is_ready() -> bool:
        assert process.poll() is None, process.communicate()
        try:
            async with server.client() as http:
                return (await http.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await until(is_ready)
        yield server
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.communicate, timeout=END_SECONDS)
        finally:
            process.kill()


async def refused(process: Popen[str]) -> tuple[int, str]:
    """Return the exit status of a server that must not run, and what it said."""
    said = await asyncio.to_thread(process.communicate, timeout=END_SECONDS)
    return process.returncode, "".join(said)


@pytest.mark.parametrize("name", COMMANDS)
async def test_it_keeps_our_limits_and_leaves_in_order(
    tmp_path: Path, with_model: dict[str, str], name: str
) -> None:
    async with hosted(tmp_path, name, **with_model) as server:
        async with connect(server.socket_url, proxy=None) as wire:
            assert wire.response is not None
            assert "Sec-WebSocket-Extensions" not in wire.response.headers
            await wire.send("x" * 70_000)
            with pytest.raises(ConnectionClosedError) as closed:
                await wire.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        async with server.client() as http:
            page = await http.get("/?token=canary-31c5")
        assert page.status_code == 200
        assert "server" not in page.headers

        async with chat_client(server.socket_url) as client:
            await client.ask(SLOW)
            await client.until("TEXT_MESSAGE_CONTENT")
            server.process.terminate()
            shown = await client.finished()
            said = await asyncio.to_thread(server.process.communicate, timeout=END_SECONDS)

    assert shown.endings == ["success"]
    assert any(frame["type"] == "going_away" for frame in client.frames)
    assert server.process.returncode in (0, -signal.SIGTERM)
    assert "canary-31c5" not in "".join(said)


@pytest.mark.parametrize("name", COMMANDS)
async def test_several_processes_without_shared_stores_are_refused(
    tmp_path: Path, name: str
) -> None:
    code, said = await refused(process_of(tmp_path, name, 3))

    assert "is in use by another server" in said
    # uvicorn's parent says 0 whatever its workers say; gunicorn says 1 where it trips over two
    # workers that end at once.
    assert code in ((0,) if name == "uvicorn" else (1, REFUSED))


async def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    code, said = await refused(process_of(tmp_path, "gunicorn", 1, host="0.0.0.0"))

    assert code == REFUSED
    assert "0.0.0.0, but it must be a loopback address" in said


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    code, said = await refused(process_of(tmp_path, name, 1, BEAT_SECONDS="0"))

    assert code == REFUSED
    assert "BEAT_SECONDS: Input should be greater than 0" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["gunicorn", "uvicorn"])
async def test_each_worker_is_a_node_and_any_of_them_tells_an_answer(
    tmp_path: Path, with_model: dict[str, str], name: str
) -> None:
    async with (
        shared_stores(tmp_path, 3) as stores,
        hosted(tmp_path, name, 3, **stores, **with_model) as server,
        server.client() as http,
    ):

        async def are_all_there() -> bool:
            nodes = (await http.get("/api/v1/nodes")).raise_for_status().json()["nodes"]
            return len({node["name"] for node in nodes}) == 3

        await until(are_all_there)
        async with chat_client(server.socket_url) as client:
            await client.ask(SLOW)
            watching = [await follow(server.socket_url, client.conversation_id) for _ in range(4)]
            shown = await client.finished()

    assert shown.endings == ["success"]
    assert watching == [shown.messages] * 4


async def follow(socket_url: str, conversation_id: str) -> list[tuple[str, str, str]]:
    """Return what a new socket, on whichever worker, is shown of a conversation."""
    async with chat_client(socket_url, conversation_id) as client:
        await client.subscribe()
        return (await client.finished()).messages


class FakeApplication:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.on_failure = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.asked.append("end")
        await send({"type": "lifespan.shutdown.complete"})

    async def drain(self) -> None:
        self.asked.append("drain")


async def test_a_server_that_is_adopted_limits_what_its_peers_hold() -> None:
    app = FakeApplication()
    hosted_app = HostedApplication(app, Settings(_env_file=None))
    config = uvicorn.Config(hosted_app, port=0, log_config=None, ws_max_size=10**9)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await until(lambda: server.started)
        await asyncio.sleep(0)
        assert isinstance(server, AdoptedServer)
        descriptor = server.servers[0].sockets[0].fileno()
        with socket.socket(fileno=os.dup(descriptor)) as listening:
            timeout = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        server.should_exit = True

    assert timeout == USER_TIMEOUT_MS
    assert config.ws_max_size == 64 * 1024
    assert app.asked == ["drain", "end"]


async def test_a_server_that_is_not_known_lets_the_application_drain_at_its_end() -> None:
    app = FakeApplication()
    told = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> Message:
        return next(told)

    async def send(message: Message) -> None:
        app.asked.append(message["type"])

    await HostedApplication(app, Settings(_env_file=None))({"type": "lifespan"}, receive, send)

    complete = ("lifespan.startup.complete", "lifespan.shutdown.complete")
    assert app.asked == [complete[0], "drain", "end", complete[1]]
