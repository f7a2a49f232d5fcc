"""Which server of a Redis, or of a Redis Cluster, keeps a conversation, and the way there."""

import asyncio
import secrets
from bisect import bisect_right
from collections.abc import Collection

from redis.crc import key_slot

from app.infra.redis.connection import SHARDED_CHANNELS_SINCE
from app.infra.redis.log.link import Link, LinkLost, Reply, is_error
from app.infra.redis.log.server import Server, read_address

# Redis does nothing else meanwhile: a tenth of a millisecond for ten (measured).
APPENDS_A_COMMAND = 100


class Servers:
    """The servers behind a URL.

    name: what the connections are called in the server's list of clients.
    channel: on which this process alone hears; "" where there is none.
    """

    def __init__(self, url: str, *, is_cluster: bool, name: str) -> None:
        self._first, self._access = read_address(url)
        self.is_cluster = is_cluster
        self._name = name
        # Of a cluster: where each stretch of slots begins, and who has it.
        self._starts = [0]
        self._owners = [self._first]
        self._known: set[Server] = {self._first}
        self._refreshing = asyncio.Lock()
        # Where this node hears what others say in the conversations that it reads, all in one
        # message for each flush; "" in a cluster, which has each conversation's channel alone.
        self.channel = "" if is_cluster else f"colloquy:node:{secrets.token_hex(8)}"

    @property
    def known(self) -> Collection[Server]:
        """All of them, as far as is known."""
        return tuple(self._known)

    def of(self, key: bytes) -> Server:
        """Return who has a key, as far as is known: a wrong one will say so."""
        if not self.is_cluster:
            return self._first
        return self._owners[bisect_right(self._starts, key_slot(key)) - 1]

    def is_sharded(self, link: Link) -> bool:
        """Return whether a channel is its slot's server's alone, not the whole cluster's."""
        return self.is_cluster and link.version >= SHARDED_CHANNELS_SINCE

    @property
    def appends_a_command(self) -> int:
        """How many conversations one script may write: those of a cluster are in other slots."""
        return 1 if self.is_cluster else APPENDS_A_COMMAND

    def publish(self, link: Link) -> str:
        """Return the command that publishes there."""
        return "SPUBLISH" if self.is_sharded(link) else "PUBLISH"

    async def link(self, server: Server) -> Link:
        """Open a connection; the caller closes it. Raises `OSError`."""
        return await Link.open(server, self._access, self._name)

    async def refresh(self) -> None:
        """Ask a cluster who has what; the last answer stays where nobody answers."""
        if not self.is_cluster or self._refreshing.locked():
            return
        async with self._refreshing:
            for server in (*self._known, self._first):
                if await self._is_answered_by(server):
                    return

    async def _is_answered_by(self, server: Server) -> bool:
        try:
            await self._ask(server)
        except (OSError, ValueError, IndexError):
            return False
        return True

    async def _ask(self, server: Server) -> None:
        link = await self.link(server)
        try:
            [answer] = await link.ask([("CLUSTER", "SLOTS")])
        finally:
            link.close()
        if is_error(answer) or not answer:
            raise LinkLost
        stretches = sorted(_stretch(part, server) for part in answer)
        self._starts = [0, *(start for start, _ in stretches[1:])]
        self._owners = [owner for _, owner in stretches]
        self._known = set(self._owners)


class Links:
    """The connections that serve one purpose: one to each server, opened when it is needed."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._links: dict[Server, Link] = {}
        self._opening = asyncio.Lock()

    async def to(self, server: Server) -> Link:
        """Return the connection to a server. Raises `OSError`."""
        link = self._links.get(server)
        if link is not None and not link.closed.is_set():
            return link
        async with self._opening:
            link = self._links.get(server)
            if link is None or link.closed.is_set():
                link = self._links[server] = await self._servers.link(server)
            return link

    def close(self) -> None:
        """Close all of them; the next call of `to` opens another."""
        for link in self._links.values():
            link.close()
        self._links.clear()


def _stretch(part: Reply, asked: Server) -> tuple[int, Server]:
    host, port = part[2][0], part[2][1]
    # A server that does not know its own name leaves it out: it is the one that was asked.
    return int(part[0]), Server(host.decode() if host else asked.host, int(port))
