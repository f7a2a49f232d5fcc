"""Starts the servers that are measured, one at a time, on the core that is theirs alone."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from core.settings import load_settings
from scripts.bench.plan import Wire
from scripts.bench.process import ROOT, cpu_seconds, free_port, load_core, pinned, server_core

_START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that runs.

    url: its HTTP address; its sockets are at `/ws`.
    log: what it writes to its standard output and error.
    listen_url: the HTTP address of another node, on which answers are listened to; empty: none.
    """

    name: str
    wire: Wire
    url: str
    pid: int
    log: IO[bytes]
    listen_url: str = ""

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is."""
        return _socket_url(self.url)

    @property
    def listen_socket_url(self) -> str:
        """Where the other node's WebSocket is; empty where there is none."""
        return _socket_url(self.listen_url) if self.listen_url else ""

    def last_words(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return _last_words(self.log, lines)


@dataclass(frozen=True, slots=True)
class Model:
    """The scripted model server. `url` is for `OPENAI_BASE_URL`."""

    url: str
    pid: int


@contextmanager
def scripted_model() -> Iterator[Model]:
    """Run the stand-in for a model on the load's core."""
    command = [sys.executable, "-m", "scripts.scripted_model"]
    with pinned(command, load_core()) as process:
        assert process.stdout is not None
        yield Model(f"{process.stdout.readline().strip()}/v1", process.pid)


@contextmanager
def relay(name: str, module: str, model_url: str) -> Iterator[Contender]:
    """Run one of the two relays under uvicorn, set up as Colloquy sets itself up."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio"]
    command += ["--ws-per-message-deflate", "false", "--log-level", "warning"]
    with _up(name, "relay", command, port, {"OPENAI_BASE_URL": model_url}, ROOT) as server:
        yield server


@contextmanager
def colloquy(model_url: str) -> Iterator[Contender]:
    """Run Colloquy with nothing but its defaults, an empty data folder and the scripted model."""
    port = free_port()
    command = [sys.executable, str(ROOT / "main.py")]
    with data_folder() as data:
        environment = _settings(data, port, model_url)
        with _up("colloquy", "colloquy", command, port, environment, data.parent) as server:
            yield server


@contextmanager
def data_folder() -> Iterator[Path]:
    """Give an empty data folder with the embedding model, in a folder of its own.

    No `.env` of the developer's is there to change what is measured.
    """
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        # The embedding model is large, and the same for everybody who works on this checkout.
        (data / "models").symlink_to((ROOT / load_settings().data_dir / "models").resolve())
        yield data


@contextmanager
def fleet(model_url: str) -> Iterator[Contender]:
    """Run two nodes with a Redis and a Postgres: one is asked, the other one listened to.

    All of them, the supervisor too, share the core that a single server has to itself.
    """
    with data_folder() as data, tempfile.TemporaryFile() as log:
        environment = {**_settings(data, free_port(), model_url), "NODES": "2"}
        command = [sys.executable, "-m", "scripts.cluster"]
        core = server_core()
        with pinned(command, core, environment=environment, folder=data.parent, log=log) as process:
            record = data / "cluster.json"
            _wait("fleet", process, log, record.exists)
            asked, listened = json.loads(record.read_text())["nodes"]
            _wait_for_calm(process.pid)
            yield Contender(
                "fleet", "colloquy", asked["url"], process.pid, log, listen_url=listened["url"]
            )


@contextmanager
def _up(
    name: str, wire: Wire, command: list[str], port: int, environment: dict[str, str], folder: Path
) -> Iterator[Contender]:
    """Start a server and wait until it answers."""
    with (
        tempfile.TemporaryFile() as log,
        pinned(command, server_core(), environment=environment, folder=folder, log=log) as process,
    ):
        server = Contender(name, wire, f"http://127.0.0.1:{port}", process.pid, log)
        _wait(name, process, log, lambda: _answers(server.url))
        _wait_for_calm(process.pid)
        yield server


def _wait(
    name: str, process: subprocess.Popen[str], log: IO[bytes], is_up: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{name} did not start:\n{_last_words(log)}")
        time.sleep(0.05)


def _wait_for_calm(pid: int) -> None:
    """Wait until the server does nothing any more: what it does after its start is not measured."""
    deadline = time.monotonic() + _START_SECONDS
    calm, used = 0, cpu_seconds(pid)
    while calm < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        before, used = used, cpu_seconds(pid)
        calm = calm + 1 if used - before < 0.05 else 0


def _settings(data: Path, port: int, model_url: str) -> dict[str, str]:
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(data),
        "PYTHONPATH": str(ROOT),
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "",
        "MODEL": "scripted-1",
        "LOG_LEVEL": "WARNING",
    }


def _socket_url(url: str) -> str:
    return f"{url.replace('http', 'ws', 1)}/ws"


def _last_words(log: IO[bytes], lines: int = 15) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return True
    except OSError:
        return False
