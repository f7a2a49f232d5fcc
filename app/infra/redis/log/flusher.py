"""Writes what the speakers of a node have said to one server, many conversations at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, field
from itertools import chain
from time import monotonic

import structlog

from app.infra.redis.log.link import Command, Link, Reply, is_error, packed
from app.infra.redis.log.scripts import APPEND
from app.infra.redis.log.server import Server
from app.infra.redis.log.servers import Links, Servers
from app.infra.redis.log.speaker import Speaker
from app.infra.redis.log.stats import LogStats
from core.errors import AppError
from core.failpoints import reach
from core.runs import Run

# Between two round trips, so that under load the system calls of one serve many conversations: at
# 200 of 30 tokens a second, 22 appends a flush instead of 7, and a third less processor time over
# all processes (measured on 2 cores). What is said after a silence of that length goes at once.
GAP_SECONDS = 0.003
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5
# Of one round trip; what is more goes with the next.
FLUSH_LIMIT_PIECES = 500
FLUSH_LIMIT_BYTES = 4 * 1024 * 1024
# One after the other, 400 runs were silent for a second after a restart of Redis (measured).
CONFIRMED_AT_ONCE = 8
# Beyond it the oldest are dropped: they only make room, and Redis forgets in time by itself.
CHORES = 10_000

log = structlog.get_logger(__name__)

# Given the command that publishes, it returns the command that does it.
Chore = Callable[[str], Command]
# A speaker, and up to which sequence it sends.
Flight = tuple[Speaker, int]
IsHeld = Callable[[Run], Awaitable[bool]]

_APPEND = packed(b"EVALSHA") + packed(APPEND.sha.encode())


@dataclass(slots=True)
class _Load:
    """What one round trip carries: commands for those who resume, then for those who append.

    A speaker resumes where Redis may have less, or more, than it thinks.
    """

    resuming: list[Speaker] = field(default_factory=list)
    appending: list[list[Flight]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def doubt(self) -> None:
        """Note that it is not known what was carried out of it."""
        for speaker in self.resuming:
            speaker.doubt()
        for speaker, _ in chain.from_iterable(self.appending):
            speaker.doubt()


@dataclass(slots=True)
class _Landing:
    """What did not come through: errors of Redis, and speakers that may not be the ones."""

    errors: list[Reply] = field(default_factory=list)
    doubted: list[Speaker] = field(default_factory=list)


class Flusher:
    """Appends to one server. What is said while a round trip is under way goes with the next.

    unanswered_since: when what waits now was first sent, by `monotonic`, or was to be; None where
        the server has answered since, or nothing waits.
    delivered: called with the first sequence of what the server has acknowledged. route: gives a
        speaker that has more to say to the flusher of the server that keeps its conversation.
        is_held: whether a run is still this node's, asked where Redis may have forgotten who
        speaks.
    """

    def __init__(
        self,
        server: Server,
        servers: Servers,
        stats: LogStats,
        delivered: Callable[[Speaker, int], None],
        route: Callable[[Speaker], None],
        is_held: IsHeld,
    ) -> None:
        self._server = server
        self._servers = servers
        self._links = Links(servers)
        self._stats = stats
        self._delivered = delivered
        self._route = route
        self._is_held = is_held
        self.unanswered_since: float | None = None
        self._waiting: list[Speaker] = []
        self._chores: deque[Chore] = deque(maxlen=CHORES)
        self._woken = asyncio.Event()
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def add(self, speaker: Speaker) -> None:
        """Flush what the speaker has said, soon."""
        if not speaker.is_waiting:
            speaker.is_waiting = True
            self._waiting.append(speaker)
            self._woken.set()

    def do(self, chore: Chore) -> None:
        """Have the server do something, soon; it may be dropped where the server is down."""
        self._chores.append(chore)
        self._woken.set()

    async def run(self) -> None:
        """Flush until cancelled; what is waiting then is dropped."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                while self._waiting or self._chores:
                    await self._flush()
                    await asyncio.sleep(GAP_SECONDS)
                self.unanswered_since = None
        finally:
            self._links.close()

    async def _flush(self) -> None:
        batch = self._waiting[:FLUSH_LIMIT_PIECES]
        del self._waiting[:FLUSH_LIMIT_PIECES]
        for speaker in batch:
            speaker.is_waiting = False
        if self.unanswered_since is None:
            self.unanswered_since = monotonic()
        try:
            is_smooth = await self._send(batch)
        except OSError as error:
            is_smooth = False
            self._stats.reconnects += 1
            if self._pause_seconds == FIRST_PAUSE_SECONDS:
                log.warning("log.unreachable", reason=str(error) or type(error).__name__)
        except Exception:
            # A task's border: one bug may not end the log of every run.
            is_smooth = False
            log.exception("log.crashed")
        await self._pause(is_smooth=is_smooth)
        for speaker in batch:
            if speaker.has_more:
                self._route(speaker)

    async def _pause(self, *, is_smooth: bool) -> None:
        if is_smooth:
            self._pause_seconds = FIRST_PAUSE_SECONDS
            return
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        await self._servers.refresh()

    async def _send(self, batch: list[Speaker]) -> bool:
        """Make one round trip; False where something has to be tried again later."""
        link = await self._links.to(self._server)
        now = monotonic()
        publish = self._servers.publish(link)
        load = _load(batch, link, publish, now, self._servers.appends_a_command)
        chores = [self._chores.popleft() for _ in range(min(len(self._chores), FLUSH_LIMIT_PIECES))]
        load.commands += [chore(publish) for chore in chores]
        if not load.commands:
            # Whoever waited has left: nothing is asked, and nothing would be answered.
            return True
        try:
            replies = await link.ask(load.commands)
        except OSError:
            self._chores.extendleft(reversed(chores))
            # What was carried out is not known, and may be less than what is sent next time.
            load.doubt()
            raise
        self.unanswered_since = None
        self._note(monotonic() - now)
        landing = self._land(load, replies)
        if landing.errors:
            await self._recover(link, landing.errors)
        return await self._confirm(landing.doubted) and not landing.errors

    def _note(self, seconds: float) -> None:
        self._stats.flushes += 1
        self._stats.append_seconds += seconds
        self._stats.observe(seconds)

    def _land(self, load: _Load, replies: list[Reply]) -> _Landing:
        landing = _Landing()
        appends = self._stats.appends
        # There are more replies where there were chores.
        left = iter(replies)
        for speaker, reply in zip(load.resuming, left, strict=False):
            if not speaker.is_over:
                self._land_resumed(speaker, reply, landing)
        for flights, reply in zip(load.appending, left, strict=False):
            self._land_appended(flights, reply, landing)
        if self._stats.appends > appends:
            reach("after_append")
        return landing

    def _land_appended(self, flights: list[Flight], reply: Reply, landing: _Landing) -> None:
        refused: Container[int] = reply or ()
        if is_error(reply):
            landing.errors.append(reply)
            # What it had done before is not known.
            refused = range(1, len(flights) + 1)
        for place, (speaker, last) in enumerate(flights, 1):
            if place in refused:
                speaker.doubt()
            elif not speaker.is_over:
                first = speaker.flushed + 1
                speaker.acknowledge(last)
                self._stats.appends += 1
                self._delivered(speaker, first)

    def _land_resumed(self, speaker: Speaker, reply: Reply, landing: _Landing) -> None:
        if type(reply) is int:
            self._go_to(speaker, reply)
            return
        if reply == [b"FENCED"]:
            self._fence(speaker)
            return
        if reply == [b"LOST"]:
            landing.doubted.append(speaker)
        else:
            landing.errors.append(reply)
        speaker.doubt()

    def _go_to(self, speaker: Speaker, sequence: int) -> None:
        self._stats.gaps += sequence < speaker.flushed
        try:
            first = speaker.go_to(sequence)
        except LookupError:
            log.warning("log.too_long_to_rebuild", run_id=speaker.run.id)
            speaker.lose()
            return
        if first is not None:
            self._stats.appends += 1
            self._delivered(speaker, first)

    def _fence(self, speaker: Speaker) -> None:
        self._stats.fenced += 1
        speaker.lose()

    async def _confirm(self, doubted: list[Speaker]) -> bool:
        """Let those speak on whose run is still this node's; False where that is not known."""
        left = list(doubted)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(doubted), CONFIRMED_AT_ONCE)):
                group.create_task(self._confirm_each(left))
        return not left

    async def _confirm_each(self, left: list[Speaker]) -> None:
        """Work on a list, with others who do, until it is empty or nothing can be known."""
        while left:
            speaker = left.pop()
            try:
                is_held = await self._is_held(speaker.run)
            except AppError:
                log.warning("log.cannot_confirm", run_id=speaker.run.id)
                left.append(speaker)
                return
            if speaker.is_over:
                continue
            if is_held:
                speaker.allow_begin()
            else:
                self._fence(speaker)

    async def _recover(self, link: Link, errors: list[Reply]) -> None:
        """Do what refused commands ask for."""
        for reason in {str(error).partition(" ")[0] for error in errors}:
            log.warning("log.refused", reason=reason)
            if reason == "NOSCRIPT":
                await link.load_scripts()
            elif reason == "READONLY":
                # The server became a replica; another one is in its place.
                link.close()


def _load(
    batch: list[Speaker], link: Link, publish: str, now: float, appends_a_command: int
) -> _Load:
    load = _Load()
    appending: list[Flight] = []
    arguments: list[bytes] = []
    size_bytes = 0
    for speaker in batch:
        if not speaker.has_more or size_bytes > FLUSH_LIMIT_BYTES:
            continue
        if speaker.has_to_resume(now):
            piece = speaker.next_piece()
            size_bytes += piece.size_bytes
            load.resuming.append(speaker)
            load.commands.append(speaker.resume(piece, link, publish, now))
        else:
            last, packed_append = speaker.packed_append(link)
            size_bytes += len(packed_append)
            appending.append((speaker, last))
            arguments.append(packed_append)
    for start in range(0, len(appending), appends_a_command):
        end = start + appends_a_command
        load.appending.append(appending[start:end])
        load.commands.append(_append(appending[start:end], arguments[start:end], publish))
    return load


def _append(flights: list[Flight], arguments: list[bytes], publish: str) -> bytes:
    """Return the command, packed: most of it is the same each time."""
    return b"*%d\r\n%b%b%b%b%b" % (
        4 + 5 * len(flights),
        _APPEND,
        packed(b"%d" % (2 * len(flights))),
        b"".join([speaker.packed_keys for speaker, _ in flights]),
        packed(publish.encode()),
        b"".join(arguments),
    )
