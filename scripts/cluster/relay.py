"""Hands connections on to nodes that are ready, where the machine has no balancer.

usage: python -m scripts.cluster.relay HOST:PORT NODE_HOST:PORT [NODE_HOST:PORT ...]

It moves bytes and knows nothing of what they say: a connection belongs to one node.
"""

import asyncio
import contextlib
import itertools
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.cluster.probe import http_status

CHECK_SECONDS = 0.5
CONNECT_SECONDS = 1.0
HEADER_SECONDS = 10.0
# A client, or a node, that takes nothing for so long is cut off.
WRITE_SECONDS = 10.0
CHUNK_BYTES = 64 * 1024
BACKLOG = 2048

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Node:
    """A node's address, and whether it last said that it is ready."""

    host: str
    port: int
    is_ready: bool = True


class Relay:
    """Takes turns among the nodes."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._turn = itertools.count()

    async def check(self, node: Node) -> None:
        """Ask a node again and again whether it is ready, until cancelled."""
        while True:
            node.is_ready = await http_status(node.host, node.port, "/readyz") == 200
            await asyncio.sleep(CHECK_SECONDS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection from its first byte to its last."""
        try:
            async with asyncio.timeout(HEADER_SECONDS):
                first = await reader.read(CHUNK_BYTES)
            if first and (node := await self._connect()):
                await _carry((reader, writer), node, first)
            writer.close()
        except* (OSError, TimeoutError):
            writer.transport.abort()

    async def _connect(self) -> Connection | None:
        for node in self._candidates():
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(node.host, node.port, limit=CHUNK_BYTES)
            except (OSError, TimeoutError):
                node.is_ready = False
        return None

    def _candidates(self) -> Iterator[Node]:
        """Yield the nodes in turn: first those that are ready, then the others all the same."""
        start = next(self._turn) % len(self._nodes)
        turn = [*self._nodes[start:], *self._nodes[:start]]
        yield from [node for node in turn if node.is_ready]
        yield from [node for node in turn if not node.is_ready]


async def _carry(client: Connection, node: Connection, first: bytes) -> None:
    try:
        async with asyncio.TaskGroup() as both:
            upwards = both.create_task(_pump(client[0], node[1], first))
            await _pump(node[0], client[1])
            # The node has closed: nothing that the client still says matters.
            upwards.cancel()
    finally:
        node[1].transport.abort()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
) -> None:
    # Wait until everything is written: what waits here is what the other side doesn't take.
    writer.transport.set_write_buffer_limits(0)
    data = first or await reader.read(CHUNK_BYTES)
    while data:
        writer.write(data)
        async with asyncio.timeout(WRITE_SECONDS):
            await writer.drain()
        data = await reader.read(CHUNK_BYTES)
    if writer.can_write_eof():
        writer.write_eof()


async def run(listen: str, nodes: Sequence[Node]) -> None:
    """Serve until cancelled."""
    relay = Relay(nodes)
    host, port = _address(listen)
    server = await asyncio.start_server(relay.serve, host, port, limit=CHUNK_BYTES, backlog=BACKLOG)
    async with server, asyncio.TaskGroup() as checks:
        for node in nodes:
            checks.create_task(relay.check(node))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def main() -> None:
    """Run from the command line."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listen, *nodes = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(listen, [Node(*_address(node)) for node in nodes]))


if __name__ == "__main__":
    main()
