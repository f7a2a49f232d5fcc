"""Reads conversations' logs out of Redis: where they stand, and what they have."""

from collections.abc import Callable, Sequence

from app.infra.redis.log.link import Command, Link, LinkLost, Reply, is_error
from app.infra.redis.log.message import Keys, keys_of, unpack
from app.infra.redis.log.mirror import Meta, Mirror, read_meta
from app.infra.redis.log.scripts import KEEP_SECONDS, LOOK, OPEN, PART, TAKE
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Links, Servers
from core.conversations import LogMark
from core.runs import Run

ENTRIES_A_PAGE = 500
# How often what is read may turn out to be trimmed or replaced meanwhile.
READINGS = 3


class LogReader:
    """Asks the server that keeps a conversation. Every call raises `OSError` where it can't."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._links = Links(servers)

    def close(self) -> None:
        """Close the connections."""
        self._links.close()

    async def metas(self, server: Server, mirrors: Sequence[Mirror]) -> list[Meta | None]:
        """Return where logs stand that one server keeps; None where it has none."""
        link = await self._links.to(server)
        replies = await link.ask([self._look(mirror.keys) for mirror in mirrors])
        if any(map(is_error, replies)):
            # They are another server's by now.
            raise LinkLost
        return [read_meta(reply) for reply in replies]

    async def are_whole(self, server: Server, keys: Sequence[Keys]) -> list[bool]:
        """Return of each log that one server keeps whether all that was acknowledged is there."""
        link = await self._links.to(server)
        replies = await link.ask([("HGET", each.meta, "s") for each in keys])
        if any(map(is_error, replies)):
            raise LinkLost
        run_id = link.run_id.encode()
        return [reply == run_id for reply in replies]

    async def fill(self, mirror: Mirror, mark: LogMark | None) -> None:
        """Bring a copy up to what Redis has.

        mark: how the conversation stands on disk, just read; where Redis has no log, it begins
            there. Without one, a log that is missing changes nothing.
        """
        for reading in range(READINGS):
            force = reading == READINGS - 1
            meta = await self._meta(mirror.keys, mark, force=force)
            if meta is None:
                return
            mirror.begin(meta)
            if await self._read_on(mirror):
                return
        if mirror.log is not None:
            # The stream has holes: whoever opens the conversation next begins it from the disk.
            mirror.log.restart("", 0, 0)

    async def part(self, keys: Keys, is_read: Callable[[], bool]) -> None:
        """Have those who speak tell this node no more of a conversation, unless it is read now."""
        link = await self._links.to(self._servers.of(keys.meta))
        if not is_read():
            await link.ask([("EVALSHA", PART.sha, 2, *keys, self._servers.channel)])

    async def take(self, run: Run, new: LogMark, *, force: bool) -> int | None:
        """Raise the log's fence to the run's, and return its head.

        new: where it begins where something was lost, or by force; None is returned then.
        Raises `KeyError` where another attempt has taken it.
        """
        keys = keys_of(run.conversation_id)
        reply = await self._ask(
            keys,
            lambda link: (
                "EVALSHA", TAKE.sha, 2, *keys,
                run.fence, run.log.epoch, run.log.head, link.run_id, new.epoch, new.messages,
                int(force), KEEP_SECONDS,
            ),
        )  # fmt: skip
        if reply[0] == b"FENCED":
            raise KeyError(run.id)
        return int(reply[1]) if reply[0] == b"OK" else None

    async def said(self, run: Run, head: int) -> list[str] | None:
        """Return what follows the run's mark up to the head; None where not all of it is there."""
        keys = keys_of(run.conversation_id)
        events: list[str] = []
        while run.log.head + len(events) < head:
            entries = await self._entries(keys, run.log.head + len(events) + 1)
            if not entries:
                return None
            for _, (_, message) in entries:
                said = unpack(message)
                skipped = run.log.head + len(events) + 1 - said.first
                if skipped < 0 or (said.run_id, said.epoch) != (run.id, run.log.epoch):
                    return None
                events += said.events[skipped:]
        return events

    async def _meta(self, keys: Keys, mark: LogMark | None, *, force: bool) -> Meta | None:
        if mark is None:
            return read_meta(await self._ask(keys, lambda link: self._look(keys)))
        arguments = (int(force), KEEP_SECONDS, self._servers.channel)
        return read_meta(
            await self._ask(
                keys,
                lambda link: ("EVALSHA", OPEN.sha, 2, *keys, *mark, link.run_id, *arguments),
            )
        )

    async def _read_on(self, mirror: Mirror) -> bool:
        """Append what is in the stream; False where it does not follow what the copy has."""
        while (copy := mirror.log) is not None:
            entries = await self._entries(mirror.keys, copy.head + 1)
            for _, (_, message) in entries:
                said = unpack(message)
                if said.epoch != copy.epoch or said.first > copy.head + 1:
                    return False
                mirror.add(*said)
            if len(entries) < ENTRIES_A_PAGE:
                break
        return True

    async def _entries(self, keys: Keys, first: int) -> list[Reply]:
        """Return entries that have events from `first` on, a page of them."""
        reply: list[Reply] = await self._ask(
            keys,
            lambda link: ("XRANGE", keys.stream, f"{first}-0", "+", "COUNT", ENTRIES_A_PAGE),
        )
        return reply

    async def _ask(self, keys: Keys, command: Callable[[Link], Command]) -> Reply:
        """Return the reply; a server that lacks the scripts, or the key, is put right once."""
        for _ in range(2):
            link = await self._links.to(self._servers.of(keys.meta))
            [reply] = await link.ask([command(link)])
            if not is_error(reply):
                return reply
            if str(reply).startswith("NOSCRIPT"):
                await link.load_scripts()
            else:
                await self._servers.refresh()
        raise LinkLost(str(reply).partition(" ")[0])

    def _look(self, keys: Keys) -> Command:
        return ("EVALSHA", LOOK.sha, 2, *keys, self._servers.channel)
