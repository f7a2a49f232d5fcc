"""Whether Redis is there for a node: over a link that is spoiled."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from app.infra.redis.log import pulse as pulse_module
from app.infra.redis.log.pulse import RedisPulse
from app.infra.redis.log.servers import Servers
from core.ids import ConversationId
from scripts.chaos.rig.proxy import Proxy, Weather
from tests.support.event_logs import conversation_of, redis_log, run_of
from tests.support.redis_server import RedisServer, redis_cluster, redis_server

PATIENCE_SECONDS = 20
OTHER = ConversationId("other")
DRIP = Weather("throttle", bytes_per_second=4096)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Proxy]:
    proxy = Proxy("127.0.0.1", server.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be asked more often than it need be."""
    monkeypatch.setattr(pulse_module, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(pulse_module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(pulse_module, "BREAK_SECONDS", 0.3)
    monkeypatch.setattr(pulse_module, "BLIND_SECONDS", 0.6)


def never() -> None:
    """Say that nothing waits."""


@asynccontextmanager
async def feeling(
    port: int, waits_since: Callable[[], float | None] = never, *, is_cluster: bool = False
) -> AsyncIterator[RedisPulse]:
    """Give a pulse that is felt."""
    url = f"redis://127.0.0.1:{port}/0"
    pulse = RedisPulse(Servers(url, is_cluster=is_cluster, name="node"), waits_since)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pulse.run())
        yield pulse
        task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Nothing tells of it.
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def steady(pulse: RedisPulse) -> None:
    await until(lambda: pulse.sight().steady_seconds > 0.2)
    await until(lambda: pulse.sight().silent_seconds < 0.2)


@pytest.mark.parametrize("weather", [Weather("blackhole"), Weather("reset"), DRIP], ids=str)
async def test_a_link_that_carries_too_little_is_silent_until_it_is_better(
    link: Proxy, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_module, "ANSWER_SECONDS", 0.4)
    async with feeling(link.port) as pulse:
        await steady(pulse)

        link.set(weather)
        await until(lambda: pulse.sight().silent_seconds > 1.0)
        assert pulse.sight().steady_seconds == 0

        link.set(Weather())
        await steady(pulse)


async def test_a_slow_link_is_not_silent(link: Proxy) -> None:
    async with feeling(link.port) as pulse:
        await steady(pulse)
        longest = 0.0

        def has_lasted() -> bool:
            nonlocal longest
            longest = max(longest, pulse.sight().silent_seconds)
            return monotonic() - begun > 1.5

        link.set(Weather("delay", seconds=0.1))
        begun = monotonic()
        await until(has_lasted)

    assert longest < 1.0


async def test_what_was_said_and_is_not_answered_is_silence_too(link: Proxy) -> None:
    waits_since: list[float] = []
    async with feeling(link.port, lambda: min(waits_since, default=None)) as pulse:
        await steady(pulse)

        waits_since.append(monotonic() - 5)

        assert pulse.sight().silent_seconds >= 5
        await until(lambda: pulse.sight().steady_seconds == 0)


async def test_of_a_cluster_every_server_has_to_answer() -> None:
    with redis_cluster() as servers:
        async with feeling(servers[0].port, is_cluster=True) as pulse:
            await steady(pulse)

            servers[2].pause()
            await until(lambda: pulse.sight().silent_seconds > 0.5)

            servers[2].go_on()
            await steady(pulse)


async def test_the_log_says_since_when_it_was_not_answered(
    server: RedisServer, link: Proxy
) -> None:
    url = f"redis://127.0.0.1:{link.port}/0"
    async with redis_log(url) as log:
        run = run_of()
        await log.open(conversation_of(), None)
        await log.take(run, never)
        log.append(run, ["1"])
        assert await log.flushed(run, PATIENCE_SECONDS)
        await until(lambda: log.unanswered_since is None)

        link.set(Weather("blackhole"))
        begun = monotonic()
        log.append(run, ["2"])
        await until(lambda: log.unanswered_since is not None)
        assert begun <= (log.unanswered_since or 0.0) <= monotonic()

        link.set(Weather())
        assert await log.flushed(run, PATIENCE_SECONDS)
        await until(lambda: log.unanswered_since is None)


async def test_what_was_left_before_it_was_sent_holds_nobody_up(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        first, second = run_of("r1", OTHER), run_of("r2", OTHER, fence=2)
        await log.take(first, never)
        log.append(first, ["1"])
        [speaker] = log._speakers.values()
        log.leave(first)
        await until(lambda: not speaker.is_waiting)
        await log.take(second, never)
        log.append(second, ["1"])
        assert await log.flushed(second, PATIENCE_SECONDS)
        assert log.stats.reconnects == 0
