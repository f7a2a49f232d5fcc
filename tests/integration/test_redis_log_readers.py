"""Which nodes are told what is said in a conversation, and that none is forgotten."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.infra.redis.connection import connect
from app.infra.redis.log.event_log import RedisEventLog
from app.infra.redis.log.link import LinkLost
from app.infra.redis.log.message import keys_of
from app.infra.redis.log.reader import LogReader
from core.ids import ConversationId
from core.runs import Run
from tests.support.event_logs import C, Reader, conversation_of, eventually, redis_log, run_of
from tests.support.redis_server import RedisServer, redis_server

SECONDS = 20
OTHER = ConversationId("other")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Any]:
    """A client of the server, which is empty."""
    client: Any = connect(server.url)
    await client.flushall()
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes look every few milliseconds whether they missed something."""
    monkeypatch.setattr("app.infra.redis.log.mirrors.CHECK_SECONDS", 0.05)


async def known_readers(client: Any) -> list[str]:
    """Return the channels of the nodes that are told what is said."""
    value = await client.hget(keys_of(C).meta, "r")
    return (value or b"").decode().split()


async def until_known(client: Any, count: int) -> None:
    async def is_so() -> bool:
        return len(await known_readers(client)) == count

    await eventually(is_so)


async def reader_of(log: RedisEventLog, conversation_id: ConversationId = C) -> Reader:
    reader = Reader(log, conversation_of(conversation_id=conversation_id))
    await reader.open()
    return reader


async def speak(log: RedisEventLog, run: Run, *numbers: int) -> None:
    for number in numbers:
        log.append(run, [f'"{number}"'])
        assert await log.flushed(run, SECONDS)


def texts(last: int) -> list[str]:
    return [f'"{number}"' for number in range(1, last + 1)]


async def published(client: Any) -> int:
    stats = await client.info("commandstats")
    return int(stats.get("cmdstat_publish", {"calls": 0})["calls"])


async def test_what_a_flush_has_for_a_node_is_one_message(server: RedisServer, client: Any) -> None:
    conversations = [ConversationId(f"c{number}") for number in range(50)]
    async with redis_log(server.url) as owner, redis_log(server.url) as far:
        readers = [await reader_of(far, each) for each in conversations]
        runs = [run_of(f"r {number}", each) for number, each in enumerate(conversations)]
        for run in runs:
            await owner.take(run, lambda: None)
            await speak(owner, run, 1)
        before, flushes = await published(client), owner.stats.flushes
        for run in runs:
            owner.append(run, ['"2"', '"3"'])
        for run, reader in zip(runs, readers, strict=True):
            assert await owner.flushed(run, SECONDS)
            await reader.until_sequence(3)

            assert reader.texts == texts(3)
            assert set(reader.runs.values()) == {run.id}
        assert owner.stats.flushes - flushes == 1
        assert await published(client) - before == 1
        assert far.stats.resyncs == 0


async def test_nodes_are_known_again_after_redis_was_emptied(
    server: RedisServer, client: Any
) -> None:
    async with (
        redis_log(server.url) as owner,
        redis_log(server.url) as one,
        redis_log(server.url) as two,
    ):
        run, readers = run_of(), [await reader_of(one), await reader_of(two)]
        await owner.take(run, lambda: None)
        await speak(owner, run, 1)
        assert len(await known_readers(client)) == 2
        await client.flushall()
        await speak(owner, run, 2)
        for reader in readers:
            await reader.until_sequence(2)
        await until_known(client, 2)
        await speak(owner, run, 3)

        for reader in readers:
            await reader.until_sequence(3)
            assert reader.texts == texts(3)
            assert reader.lookups_failed == 0


async def test_a_node_that_is_gone_is_told_no_more(server: RedisServer, client: Any) -> None:
    async with redis_log(server.url) as owner, redis_log(server.url) as near:
        run, reader = run_of(), await reader_of(near)
        await owner.take(run, lambda: None)
        async with redis_log(server.url) as far:
            await reader_of(far)
            await speak(owner, run, 1)
            known = await known_readers(client)
            assert len(known) == 2

        async def is_struck() -> bool:
            await speak(owner, run, owner.append(run, ['"x"']))
            return await known_readers(client) == known[:1]

        await eventually(is_struck)
        await reader.until(lambda reader: '"x"' in reader.texts)


async def test_a_node_that_reads_no_more_is_told_no_more(
    server: RedisServer, client: Any, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.redis.log.mirrors.IDLE_SECONDS", 0.0)
    async with redis_log(server.url) as owner, redis_log(server.url) as far:
        run, reader, other = run_of(), await reader_of(far), await reader_of(far, OTHER)
        await owner.take(run, lambda: None)
        await speak(owner, run, 1)
        await reader.until_sequence(1)
        reader.close()

        async def is_told_no_more() -> bool:
            await speak(owner, run, 0)
            return not await known_readers(client)

        await eventually(is_told_no_more)
        again = await reader_of(far)
        head = owner.append(run, ['"last"'])
        await again.until_sequence(head)
        assert len(await known_readers(client)) == 1
        other.close()


async def test_a_node_that_was_overlooked_makes_itself_known(
    server: RedisServer, client: Any, often: None
) -> None:
    async with (
        redis_log(server.url) as owner,
        redis_log(server.url) as one,
        redis_log(server.url) as two,
    ):
        run, readers = run_of(), [await reader_of(one), await reader_of(two)]
        await owner.take(run, lambda: None)
        await speak(owner, run, 1)
        known = await known_readers(client)
        await client.hset(keys_of(C).meta, "r", f"{known[0]} ")
        await speak(owner, run, 2, 3)

        for reader in readers:
            await reader.until_sequence(3)
            assert reader.texts == texts(3)
        await until_known(client, 2)


async def test_a_key_of_another_kind_stops_nobody_else(server: RedisServer, client: Any) -> None:
    async with redis_log(server.url) as owner:
        run, broken = run_of(), run_of("broken", OTHER)
        for each in (run, broken):
            await owner.take(each, lambda: None)
            await speak(owner, each, 1)
        await client.delete(keys_of(OTHER).meta)
        await client.set(keys_of(OTHER).meta, "?")
        owner.append(broken, ['"2"'])
        await speak(owner, run, 2, 3)

        assert await client.xlen(keys_of(C).stream) == 3
        await client.delete(keys_of(OTHER).meta)
        assert await owner.flushed(broken, SECONDS)


async def test_a_node_that_can_not_join_at_once_tries_again(
    server: RedisServer, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.redis.log.mirrors.CHECK_SECONDS", 60)
    look, failures = LogReader.metas, 0

    async def look_late(self: LogReader, *arguments: Any) -> Any:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise LinkLost
        return await look(self, *arguments)

    monkeypatch.setattr(LogReader, "metas", look_late)
    async with redis_log(server.url) as owner, redis_log(server.url) as far:
        run, reader = run_of(), await reader_of(far)
        await owner.take(run, lambda: None)
        await speak(owner, run, 1)
        await client.hset(keys_of(C).meta, "r", "")
        await speak(owner, run, 2, 3)
        await until_known(client, 1)

        await reader.until_sequence(3)
        assert reader.texts == texts(3)
        assert failures > 3
