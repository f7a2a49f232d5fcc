"""Listens to the channels of the conversations that this node reads, on one server."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from app.infra.redis.log.link import Command, Link, Reply, is_error
from app.infra.redis.log.mirror import Mirror
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Servers
from app.infra.redis.log.stats import LogStats

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5
CHANNELS_A_COMMAND = 500
MESSAGES = (b"message", b"smessage")
JOINED = (b"subscribe", b"ssubscribe")

log = structlog.get_logger(__name__)


class Subscriber:
    """One connection, kept up; each mirror hears its channel through it.

    Messages are lost while it is away: `returned` is called with the mirrors when it is back, and
    `away` when it could not be reached or was lost, for the servers may have changed places.
    """

    def __init__(
        self,
        server: Server,
        servers: Servers,
        stats: LogStats,
        returned: Callable[[list[Mirror]], None],
        away: Callable[[], None],
    ) -> None:
        self.server = server
        self._servers = servers
        self._stats = stats
        self._returned = returned
        self._away = away
        self._mirrors: dict[bytes, Mirror] = {}
        self._has_mirrors = asyncio.Event()
        self._link: Link | None = None
        self._was_heard = False
        # The channels that are not joined yet since the connection came back.
        self._returning: set[bytes] = set()

    def add(self, mirror: Mirror) -> None:
        """Let it hear its channel; its `joined` is set when it does."""
        self._mirrors[mirror.keys.channel] = mirror
        self._has_mirrors.set()
        self._tell("SUBSCRIBE", [mirror.keys.channel])

    def drop(self, mirror: Mirror) -> None:
        """Listen to its channel no more."""
        if self._mirrors.pop(mirror.keys.channel, None) is not None:
            mirror.joined.clear()
            self._tell("UNSUBSCRIBE", [mirror.keys.channel])
            self._count_in(mirror)

    def probe(self) -> None:
        """Close a connection on which nothing came since the last probe, not even an answer."""
        if self._link is None:
            return
        if not self._was_heard:
            log.warning("log.silent", server=self.server)
            self._link.close()
            return
        self._was_heard = False
        if not self._link.closed.is_set():
            self._link.tell([("PING",)])

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            await self._has_mirrors.wait()
            try:
                await self._listen()
                pause_seconds = FIRST_PAUSE_SECONDS
            except OSError as error:
                if pause_seconds == FIRST_PAUSE_SECONDS:
                    log.warning("log.unheard", reason=str(error) or type(error).__name__)
            self._stats.reconnects += 1
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            await self._servers.refresh()
            self._away()
            if not self._mirrors:
                self._has_mirrors.clear()

    async def _listen(self) -> None:
        link = await self._servers.link(self.server)
        try:
            link.listen(self._hear)
            self._link = link
            self._was_heard = True
            self._returning = set(self._mirrors)
            self._tell("SUBSCRIBE", list(self._mirrors))
            await link.closed.wait()
        finally:
            self._link = None
            link.close()
            for mirror in self._mirrors.values():
                mirror.joined.clear()

    def _tell(self, verb: str, channels: list[bytes]) -> None:
        link = self._link
        if link is None or link.closed.is_set():
            return
        is_sharded = self._servers.is_sharded(link)
        link.tell(list(_commands(f"S{verb}" if is_sharded else verb, channels, is_sharded)))

    def _hear(self, reply: Reply) -> None:
        self._was_heard = True
        if type(reply) is not list:
            # A channel is another server's now, or the server gives the connection up.
            if is_error(reply) and self._link is not None:
                self._link.close()
            return
        mirror = self._mirrors.get(reply[1])
        if mirror is None:
            return
        if reply[0] in MESSAGES:
            mirror.hear(reply[2])
        elif reply[0] in JOINED:
            self._join(mirror)
        elif reply[0] == b"sunsubscribe" and self._link is not None:
            # The slot was moved to another server.
            self._link.close()

    def _join(self, mirror: Mirror) -> None:
        mirror.joined.set()
        self._count_in(mirror)

    def _count_in(self, mirror: Mirror) -> None:
        if mirror.keys.channel in self._returning:
            self._returning.remove(mirror.keys.channel)
            if not self._returning:
                self._returned(list(self._mirrors.values()))


def _commands(verb: str, channels: list[bytes], is_sharded: bool) -> Iterable[Command]:
    # Sharded channels of one command have to be in one slot.
    size = 1 if is_sharded else CHANNELS_A_COMMAND
    for start in range(0, len(channels), size):
        yield (verb, *channels[start : start + size])
