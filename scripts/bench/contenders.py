"""Starts the servers that are measured, one at a time, on the core that is theirs alone."""

import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
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
    """

    name: str
    wire: Wire
    url: str
    pid: int
    log: IO[bytes]

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is."""
        return f"{self.url.replace('http', 'ws', 1)}/ws"

    def last_words(self, lines: int = 15) -> str:
        """Return the end of its log."""
        self.log.seek(0)
        return "\n".join(self.log.read().decode(errors="replace").splitlines()[-lines:])


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
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        # The embedding model is large, and the same for everybody who works on this checkout.
        (data / "models").symlink_to((ROOT / load_settings().data_dir / "models").resolve())
        environment = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATA_DIR": str(data),
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "",
            "MODEL": "scripted-1",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, str(ROOT / "main.py")]
        # In a folder of its own, so that no `.env` of the developer's changes what is measured.
        with _up("colloquy", "colloquy", command, port, environment, Path(folder)) as server:
            yield server


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
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(server.url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} did not start:\n{server.last_words()}")
            time.sleep(0.05)
        _wait_for_calm(process.pid)
        yield server


def _wait_for_calm(pid: int) -> None:
    """Wait until the server does nothing any more: what it does after its start is not measured."""
    deadline = time.monotonic() + _START_SECONDS
    calm, used = 0, cpu_seconds(pid)
    while calm < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        before, used = used, cpu_seconds(pid)
        calm = calm + 1 if used - before < 0.05 else 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return True
    except OSError:
        return False
