"""Makes the breakers of all nodes one, through Redis."""

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from app.infra.redis.channels import ControlChannel
from app.infra.redis.circuit_scripts import COMPARE, TAKE, TELL
from app.infra.redis.connection import Client
from app.infra.redis.deadline import deadline
from core.errors import StorageUnavailable
from core.ports.circuits import CircuitBook, CircuitFacts, CircuitWord

# One slot of a cluster.
FACTS = "colloquy:{circuits}:facts"
PROBES = "colloquy:{circuits}:probes"
TOPIC = "circuit"

TELL_SECONDS = 1.0
# Every node compares its book so often: what a channel lost is known then.
COMPARE_SECONDS = 2.0
RETRY_SECONDS = 0.5
# Somebody waits for this one, and is to have an answer within 50 ms.
TAKE_SECONDS = 0.03
# A Redis that was late so often in a row is not asked for probes for a while.
LATE_MAX = 3
ALONE_SECONDS = 10.0

WORDS_MAX = 1000
BATCH = 100
NAMES_MAX = 256
FORGET_MS = 24 * 3600 * 1000

Word = tuple[str, str, str]
log = structlog.get_logger(__name__)


class RedisCircuits:
    """See `SharedCircuits`; words go out while `run` does.

    failures, open_seconds: as the breakers have them.
    """

    def __init__(
        self, client: Client, channel: ControlChannel, *, failures: int, open_seconds: float
    ) -> None:
        self._client = client
        self._channel = channel
        self._failures = failures
        self._open_ms = round(open_seconds * 1000)
        self._book: CircuitBook | None = None
        self._words: deque[Word] = deque(maxlen=WORDS_MAX)
        self._has_words = asyncio.Event()
        self._in_flight: frozenset[str] = frozenset()
        self._is_away = False
        self._late = 0
        self._alone_until = 0.0
        channel.listen(TOPIC, self._overhear)

    def attach(self, book: CircuitBook) -> None:
        """See `SharedCircuits`."""
        self._book = book

    def tell(self, name: str, word: CircuitWord, token: str = "") -> None:
        """See `SharedCircuits`."""
        self._words.append((name, word.value, token))
        self._has_words.set()

    async def take_probe(self, name: str, token: str, seconds: float) -> float:
        """See `SharedCircuits`."""
        if self._is_away or monotonic() < self._alone_until:
            return 0.0
        try:
            async with deadline(TAKE_SECONDS):
                wait_ms, told = await self._ask(
                    TAKE, name, token, round(seconds * 1000), self._open_ms
                )
        except StorageUnavailable:
            self.tell(name, CircuitWord.PROBE_LEFT, token)
            return self._wait_after_late()
        self._late = 0
        if told:
            self._hear(told)
        return float(wait_ms) / 1000

    async def run(self) -> None:
        """Tell and compare until cancelled; what waits then is dropped."""
        while True:
            try:
                if self._is_away:
                    self._drop_words()
                await self._tell_all()
                await self._compare()
                if self._is_away:
                    log.warning("circuits.back")
                self._is_away = False
                await self._tell_for(COMPARE_SECONDS)
            except StorageUnavailable:
                if not self._is_away:
                    log.warning("circuits.alone", reason="Redis can't be reached.")
                self._is_away = True
                await asyncio.sleep(RETRY_SECONDS)

    def _wait_after_late(self) -> float:
        self._late += 1
        if self._late < LATE_MAX:
            # An answer may only be late: a second probe would be one too many.
            return TAKE_SECONDS
        self._late = 0
        self._alone_until = monotonic() + ALONE_SECONDS
        return 0.0

    async def _tell_for(self, seconds: float) -> None:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._has_words.wait()
            await self._tell_all()

    async def _tell_all(self) -> None:
        while self._words:
            await self._tell_some()
        self._has_words.clear()

    async def _tell_some(self) -> None:
        said = tuple(islice(self._words, BATCH))
        try:
            async with deadline(TELL_SECONDS):
                told = await self._tell_at_once(said)
        except StorageUnavailable:
            self._words.extendleft(reversed(said))
            raise
        # Of a breaker that was spoken of twice only the last is true.
        for facts in {each[0]: each for each in told}.values():
            self._hear(facts)
            self._channel.send(TOPIC, to_json(_readable(facts)).decode())

    async def _tell_at_once(self, said: tuple[Word, ...]) -> Any:
        for _ in said:
            self._words.popleft()
        self._in_flight = frozenset(name for name, _, _ in said)
        try:
            return await self._ask(TELL, to_json(said), self._failures, NAMES_MAX)
        finally:
            self._in_flight = frozenset()

    def _drop_words(self) -> None:
        """Leave to the book what it says: told as well, it would count twice.

        That a probe is given back is not seen there.
        """
        left = [word for word in self._words if word[1] == CircuitWord.PROBE_LEFT]
        self._words = deque(left, maxlen=WORDS_MAX)

    async def _compare(self) -> None:
        book = self._book.facts() if self._book else ()
        async with deadline(TELL_SECONDS):
            told = await self._ask(
                COMPARE, to_json([_written(one) for one in book]), NAMES_MAX, FORGET_MS
            )
        for facts in told:
            self._hear(facts)

    async def _ask(self, script: str, *arguments: str | bytes | int) -> Any:
        return await self._client.eval(script, 2, FACTS, PROBES, *arguments)

    def _overhear(self, content: str) -> None:
        self._hear(from_json(content))

    def _hear(self, told: Any) -> None:
        name, version, failures, open_ms = _readable(told)
        if not self._book or self._is_unsaid(name):
            # What the fleet says of it is older than what it is about to hear, and to answer.
            return
        open_seconds = None if open_ms < 0 else open_ms / 1000
        self._book.hear(CircuitFacts(name, failures, open_seconds, version))

    def _is_unsaid(self, name: str) -> bool:
        return name in self._in_flight or any(word[0] == name for word in self._words)


def _readable(told: Any) -> tuple[str, int, int, int]:
    name, version, failures, open_ms = told
    return name.decode() if isinstance(name, bytes) else name, version, failures, open_ms


def _written(facts: CircuitFacts) -> tuple[str, int, int, int]:
    open_ms = -1 if facts.open_seconds is None else round(facts.open_seconds * 1000)
    return facts.name, facts.version, facts.failures, open_ms
