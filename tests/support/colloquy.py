"""Runs the real server, a process of its own, as `make run` does."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import httpx

ROOT = Path(__file__).parents[2]
READY = "Colloquy is ready: "
STOP_SECONDS = 20
# Nobody listens on port 9: a model that runs on this machine must not answer in a test.
NO_OLLAMA = "http://127.0.0.1:9"


@dataclass
class RunningServer:
    """A server that takes connections, and keeps its data in `folder`."""

    url: str
    folder: Path
    process: Popen[str]

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is."""
        return self.url.replace("http", "ws", 1) + "/ws"

    def client(self) -> httpx.AsyncClient:
        """Return a client of its HTTP interface; the caller closes it."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30)

    async def kill(self) -> None:
        """End it without a word, as a crash does."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait)


@contextmanager
def server_process(folder: Path, **settings: str) -> Iterator[RunningServer]:
    """Run a server that keeps its data in `folder`; settings by their names in capitals.

    It is stopped as a supervisor does it, and must go in time.
    """
    share_weights(folder)
    command = [sys.executable, str(ROOT / "main.py")]
    environment = server_environment(folder, settings)
    with Popen(command, cwd=folder, env=environment, stdout=PIPE, text=True) as process:
        try:
            yield RunningServer(_address(process), folder, process)
            process.terminate()
            process.wait(STOP_SECONDS)
        finally:
            process.kill()


@asynccontextmanager
async def running_server(folder: Path, **settings: str) -> AsyncIterator[RunningServer]:
    """Run a server of a test's own; see `server_process`."""
    process = server_process(folder, **settings)
    server = await asyncio.to_thread(process.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(process.__exit__, *sys.exc_info())


def server_environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a server that nothing around it influences."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    paths = {"PYTHONPATH": str(ROOT), "DATA_DIR": str(folder)}
    return {**kept, **paths, "PORT": "0", "OLLAMA_URL": NO_OLLAMA, **settings}


def share_weights(folder: Path) -> None:
    """Let a data folder use the weights that set-up fetched."""
    models = folder / "models"
    if not models.exists():
        models.symlink_to(Path(os.environ.get("DATA_DIR", ROOT / "data")).resolve() / "models")


def _address(process: Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise AssertionError(f"the server ended with {process.wait()}")
