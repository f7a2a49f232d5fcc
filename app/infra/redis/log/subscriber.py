"""Listens to the channels of the conversations that this node reads, on one server."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from app.infra.redis.log.link import Command, Link, Reply, is_error
from app.infra.redis.log.message import parted
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


@dataclass(frozen=True, slots=True)
class Audience:
    """What a subscriber calls.

    returned: with its mirrors, when it is back: messages were lost while it was away.
    away: when it could not be reached or was lost, for the servers may have changed places.
    overlooked: with a mirror that heard something new on its conversation's channel: whoever
        speaks does not know that this node reads it.
    strange: with the channel of a conversation that this node does not read, and is told of.
    """

    returned: Callable[[list[Mirror]], None]
    away: Callable[[], None]
    overlooked: Callable[[Mirror], None]
    strange: Callable[[bytes], None]


class Subscriber:
    """One connection, kept up; each mirror hears its channel, and the node's own, through it."""

    def __init__(
        self,
        server: Server,
        servers: Servers,
        stats: LogStats,
        audience: Audience,
    ) -> None:
        self.server = server
        self._servers = servers
        self._stats = stats
        self._audience = audience
        self._own_channel = servers.channel.encode()
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
            self._audience.away()
            if not self._mirrors:
                self._has_mirrors.clear()

    async def _listen(self) -> None:
        link = await self._servers.link(self.server)
        try:
            link.listen(self._hear)
            self._link = link
            self._was_heard = True
            self._returning = set(self._mirrors)
            # Its own first: who has joined a conversation's is made known to those who speak.
            own = [self._own_channel] if self._own_channel else []
            self._tell("SUBSCRIBE", own + list(self._mirrors))
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
        if reply[1] == self._own_channel:
            if reply[0] == b"message":
                self._hear_bundle(reply[2])
            return
        mirror = self._mirrors.get(reply[1])
        if mirror is None:
            return
        if reply[0] in MESSAGES:
            if mirror.hear(reply[2]) and self._own_channel:
                self._audience.overlooked(mirror)
        elif reply[0] in JOINED:
            self._join(mirror)
        elif reply[0] == b"sunsubscribe" and self._link is not None:
            # The slot was moved to another server.
            self._link.close()

    def _hear_bundle(self, bundle: bytes) -> None:
        for channel, message in parted(bundle):
            mirror = self._mirrors.get(channel)
            if mirror is not None:
                mirror.hear(message)
            else:
                self._audience.strange(channel)

    def _join(self, mirror: Mirror) -> None:
        mirror.joined.set()
        self._count_in(mirror)

    def _count_in(self, mirror: Mirror) -> None:
        if mirror.keys.channel in self._returning:
            self._returning.remove(mirror.keys.channel)
            if not self._returning:
                self._audience.returned(list(self._mirrors.values()))


def _commands(verb: str, channels: list[bytes], is_sharded: bool) -> Iterable[Command]:
    # Sharded channels of one command have to be in one slot.
    size = 1 if is_sharded else CHANNELS_A_COMMAND
    for start in range(0, len(channels), size):
        yield (verb, *channels[start : start + size])
