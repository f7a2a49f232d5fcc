"""Opens a folder's vectors once and serves them to all nodes of this machine (INDEX_URL).

usage: python -m scripts.index_server --data-dir data --port 7070
       python -m scripts.index_server --data-dir data --socket data/index.sock
"""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from app.infra.qdrant.edge_vector_store import EdgeVectorStore
from app.infra.qdrant.index_app import IndexApp
from core.errors import SettingsError

# Longer than any client keeps an idle connection: it is the client that closes it.
KEEP_ALIVE_SECONDS = 3600
GRACE_SECONDS = 5


class IndexServer(uvicorn.Server):
    """A server that ends when `should_exit` is set, whatever the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`, which closes the store after them."""
        yield


async def serve(folder: Path, port: int, path: Path | None) -> None:
    """Serve the vectors in `folder` until SIGTERM or SIGINT. Raises `SettingsError`."""
    # Before the socket: who has the vectors open has the address, too.
    store = EdgeVectorStore.open(folder)
    config = uvicorn.Config(
        IndexApp(store),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = IndexServer(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    try:
        listening, url = listen(port, path)
        print(f"Index is ready: {url}", flush=True)
        await server.serve(sockets=[listening])
    finally:
        await store.close()


def listen(port: int, path: Path | None) -> tuple[socket.socket, str]:
    """Return a socket that listens on the loopback, or that only we may open, and its URL."""
    if path is None:
        listening = socket.create_server(("127.0.0.1", port))
        # Inherited by the connections: an answer comes in two parts, and the second would wait
        # 40 ms for the client to confirm the first.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"
    with suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o600)
    listening.listen()
    return listening, f"unix:{path.resolve()}"


def main() -> int:
    """Serve; return 0, or 1 with a sentence where the vectors can't be opened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="the vectors' home")
    parser.add_argument("--port", type=int, default=0, help="on the loopback; 0: any")
    parser.add_argument("--socket", type=Path, help="a Unix socket instead of a port")
    asked = parser.parse_args()
    try:
        asyncio.run(serve(asked.data_dir / "vectors", asked.port, asked.socket))
    except (SettingsError, OSError) as error:
        print(f"Index: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
