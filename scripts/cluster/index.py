"""Has an index for the cluster: one process that keeps the embedded vectors for all nodes."""

import asyncio
import os
import sys

from scripts.cluster.part import Part, Places, Store
from scripts.cluster.ports import LOOPBACK, Ports
from scripts.cluster.probe import PROBE_SECONDS, accepts

# What an address of a Unix socket may take (sun_path), with some room.
_PATH_BYTES = 100
_COMMAND = (sys.executable, "-m", "scripts.index_server")


def index_store(named: str, places: Places, ports: Ports) -> Store:
    """Return the index. named: INDEX_URL; empty: one of our own."""
    if named:
        return Store(named)
    # Beside the database whose passages it knows, apart from those of a single node.
    command = (*_COMMAND, "--data-dir", str(places.cluster))
    path = places.cluster / "index.sock"
    if len(os.fsencode(path)) > _PATH_BYTES:
        port = ports.take()
        url = f"http://{LOOPBACK}:{port}"
        return Store(
            url, Part("index", (*command, "--port", str(port)), lambda: accepts(LOOPBACK, port))
        )

    async def is_ready() -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_unix_connection(path)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    # Only its owner can open it: the index asks for no password.
    return Store(f"unix:{path}", Part("index", (*command, "--socket", str(path)), is_ready))
