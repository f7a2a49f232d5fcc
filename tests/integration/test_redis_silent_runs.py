"""What a run has said while Redis loses it, and the run says nothing more for a while."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from app.infra.redis.log import losses
from app.infra.redis.log.event_log import RedisEventLog
from core.ports.event_log import Cursor
from core.runs import Run
from tests.support.event_logs import C, Reader, conversation_of, eventually, redis_log, run_of
from tests.support.redis_server import RedisServer, redis_server

SECONDS = 20


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def server(shared_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """A server that keeps nothing; nodes look every few milliseconds whether it lost something."""
    monkeypatch.setattr(losses, "CHECK_SECONDS", 0.02)
    shared_server.restart()
    return shared_server


def emptied(server: RedisServer) -> None:
    assert server.ask("FLUSHALL") == "+OK"


def shortened(server: RedisServer) -> None:
    """Lose the end of the log, as a machine that crashes does, and with it the server's start."""
    assert server.ask("DEL", f"colloquy:{{{C}}}:log") == ":1"
    assert server.ask("HSET", f"colloquy:{{{C}}}:meta", "s", "another") == ":0"


async def said(log: RedisEventLog, run: Run, first: int, last: int) -> list[str]:
    texts = [f'"{number}"' for number in range(first, last + 1)]
    log.append(run, texts)
    assert await log.flushed(run, SECONDS)
    return texts


@pytest.mark.parametrize("harm", [emptied, RedisServer.restart, shortened])
async def test_it_is_there_again_without_another_word(
    server: RedisServer, harm: Callable[[RedisServer], None]
) -> None:
    async with redis_log(server.url) as owner, redis_log(server.url) as fresh:
        run = run_of()
        await owner.take(run, lambda: None)
        texts = await said(owner, run, 1, 20)
        harm(server)
        reader = Reader(fresh, conversation_of())
        await reader.open()
        await reader.until_sequence(20)

        assert reader.texts == texts
        assert reader.snapshots == 0


async def test_a_reader_who_comes_back_goes_on_where_it_was(server: RedisServer) -> None:
    async with redis_log(server.url) as owner, redis_log(server.url) as fresh:
        run = run_of()
        await owner.take(run, lambda: None)
        await said(owner, run, 1, 20)
        emptied(server)
        reader = Reader(fresh, conversation_of())
        await reader.open(Cursor("e0", 15))
        await reader.until_sequence(20)

        assert reader.texts == [f'"{number}"' for number in range(16, 21)]
        assert reader.snapshots == 0


async def test_a_node_that_was_replaced_hears_of_it(server: RedisServer) -> None:
    lost = asyncio.Event()

    async def not_held(run: Run) -> bool:
        return False

    async with redis_log(server.url, is_held=not_held) as old:
        run = run_of()
        await old.take(run, lost.set)
        await said(old, run, 1, 5)
        emptied(server)
        async with asyncio.timeout(SECONDS):
            await lost.wait()

        assert server.ask("EXISTS", f"colloquy:{{{C}}}:meta") == ":0"


async def test_a_log_that_is_whole_is_left_alone(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        run = run_of()
        await log.take(run, lambda: None)
        await said(log, run, 1, 5)
        appends = log.stats.appends
        seen = looks_at(server)

        async def is_looked_at_often() -> bool:
            return looks_at(server) >= seen + 5

        await eventually(is_looked_at_often)
        assert (log.stats.appends, log.stats.gaps) == (appends, 0)
        assert server.ask("XLEN", f"colloquy:{{{C}}}:log") == ":1"
        await said(log, run, 6, 6)
        assert server.ask("XLEN", f"colloquy:{{{C}}}:log") == ":2"


def looks_at(server: RedisServer) -> int:
    """Return how often somebody has asked whether a log is whole."""
    with Redis.from_url(server.url) as client:
        stats = client.info("commandstats")
    return int(stats.get("cmdstat_hget", {}).get("calls", 0))
