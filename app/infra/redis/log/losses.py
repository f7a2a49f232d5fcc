"""Notices that Redis has lost what a run has said that is silent just now."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from app.infra.redis.log.reader import LogReader
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Servers
from app.infra.redis.log.speaker import Speaker
from core.ids import ConversationId

# A run is asked for once it was silent for as long, so what was lost is there again after twice
# this, in time for readers that wait for it. A silent run takes 1.5 µs of Redis's time at each look
# and 2.5 of the node's (measured on 2 cores, with 200 and 2,000).
CHECK_SECONDS = 0.5
ASKED_AT_ONCE = 500


class Losses:
    """Has silent runs send again what Redis lost: those that speak find out by themselves.

    Until then whoever opens such a conversation would not be told what the run has said.

    speakers: those of this node. route: gives a speaker that has something to send to its flusher.
    """

    def __init__(
        self,
        servers: Servers,
        reader: LogReader,
        speakers: Mapping[ConversationId, Speaker],
        route: Callable[[Speaker], None],
    ) -> None:
        self._servers = servers
        self._reader = reader
        self._speakers = speakers
        self._route = route
        # Where each speaker was at the last look.
        self._heads: dict[Speaker, int] = {}

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for server, silent in self._silent().items():
                for start in range(0, len(silent), ASKED_AT_ONCE):
                    await self._look(server, silent[start : start + ASKED_AT_ONCE])

    def _silent(self) -> Mapping[Server, Sequence[Speaker]]:
        """Return those who said nothing since the last look, by who keeps their logs."""
        before = self._heads
        self._heads = {each: each.head for each in self._speakers.values() if each.has_said_all}
        found: defaultdict[Server, list[Speaker]] = defaultdict(list)
        for speaker, head in self._heads.items():
            if before.get(speaker) == head:
                found[self._servers.of(speaker.keys.meta)].append(speaker)
        return found

    async def _look(self, server: Server, speakers: Sequence[Speaker]) -> None:
        try:
            are_whole = await self._reader.are_whole(server, [each.keys for each in speakers])
        except OSError:
            # The next look asks again.
            return
        for speaker, is_whole in zip(speakers, are_whole, strict=True):
            # It may have said something meanwhile.
            if not is_whole and speaker.has_said_all:
                speaker.repeat_last()
                self._route(speaker)
