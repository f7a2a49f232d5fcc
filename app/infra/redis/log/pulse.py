"""Feels whether Redis answers this node, whether or not anybody speaks."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Links, Servers
from core.ports.neighbours import LogSight

PROBE_SECONDS = 1.0
# After one that failed: what is back is to be found soon.
RETRY_SECONDS = 0.5
ANSWER_SECONDS = 2.0
# A way that drips lets a word through: so much has to go and come back in time.
PROBE = bytes(16 * 1024)
# So long nothing was answered that was said, or nothing was known. A loop that is late now and
# then, as that of a busy machine, is not meant.
BREAK_SECONDS = 2.0
BLIND_SECONDS = 5.0


class RedisPulse:
    """See `Pulse`. Of a cluster, every server has to answer.

    unanswered_since: when the oldest of what was said and is waiting for an answer was sent, by
        `monotonic`; None where nothing is. It may be asked from another thread.
    """

    def __init__(self, servers: Servers, unanswered_since: Callable[[], float | None]) -> None:
        self._servers = servers
        self._links = Links(servers)
        self._unanswered_since = unanswered_since
        self._answered_at = self._broken_at = monotonic()

    def sight(self) -> LogSight:
        """See `Pulse`."""
        answered_at, now = self._answered_at, monotonic()
        waits_since = self._unanswered_since()
        # What waits since before the last probe that was answered is not answered either.
        seen_at = answered_at if waits_since is None else min(answered_at, waits_since)
        return LogSight(max(0.0, now - seen_at), max(0.0, seen_at - self._broken_at))

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        try:
            await self._find_servers()
            while True:
                is_answered = await self._probe()
                await asyncio.sleep(PROBE_SECONDS if is_answered else RETRY_SECONDS)
        finally:
            self._links.close()

    async def _probe(self) -> bool:
        is_answered = False
        try:
            async with asyncio.timeout(ANSWER_SECONDS), asyncio.TaskGroup() as group:
                for server in self._servers.known:
                    group.create_task(self._ask(server))
            is_answered = True
        except* (OSError, TimeoutError):
            self._links.close()
            self._broken_at = monotonic()
        if is_answered:
            self._note()
        else:
            await self._find_servers()
        return is_answered

    async def _find_servers(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._servers.refresh()

    def _note(self) -> None:
        waits_since, now = self._unanswered_since(), monotonic()
        is_unanswered = waits_since is not None and now - waits_since > BREAK_SECONDS
        if is_unanswered or now - self._answered_at > BLIND_SECONDS:
            self._broken_at = now
        self._answered_at = now

    async def _ask(self, server: Server) -> None:
        link = await self._links.to(server)
        # That it refuses to say this is an answer too.
        await link.ask([("ECHO", PROBE)])
