"""What every event log does, in memory and in Redis, from the side of those who speak and read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Protocol

import pytest

from app.infra.memory.event_log import MemoryEventLog
from core.conversations import LogMark
from core.ids import ConversationId
from core.ports.event_log import Cursor, EventLog, EventTail
from core.runs import RunStatus
from tests.support.event_logs import (
    Reader,
    conversation_of,
    eventually,
    next_run,
    redis_log,
    run_of,
)
from tests.support.redis_server import RedisServer, redis_server

SECONDS = 10


class Log(EventLog, EventTail, Protocol):
    """Both sides of a log."""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
async def log(request: pytest.FixtureRequest, server: RedisServer) -> AsyncIterator[Log]:
    if request.param == "memory":
        yield MemoryEventLog(conversation_bytes=1000, total_bytes=100_000)
        return
    server.ask("FLUSHALL")
    async with redis_log(server.url, conversation_bytes=1000) as at_work:
        yield at_work


async def reader_of(log: Log) -> Reader:
    reader = Reader(log, conversation_of())
    await reader.open()
    return reader


async def test_a_reader_gets_what_is_said_in_order(log: Log) -> None:
    run, reader = run_of(), await reader_of(log)
    await log.take(run, lambda: None)

    heads = [log.append(run, ["a"]), log.append(run, ["b", "c"])]
    await reader.until_sequence(3)

    assert heads == [1, 3]
    assert reader.texts == ["a", "b", "c"]
    assert set(reader.runs.values()) == {"r"}


async def test_a_late_reader_gets_everything(log: Log) -> None:
    run = run_of()
    await log.take(run, lambda: None)
    log.append(run, ["a", "b\u2028", "\ud83d half", 'ü"\\n"'])
    assert await log.flushed(run, SECONDS)

    reader = await reader_of(log)
    await reader.until_sequence(4)

    assert reader.texts == ["a", "b\u2028", "\ud83d half", 'ü"\\n"']


async def test_a_reader_goes_on_after_its_cursor(log: Log) -> None:
    run = run_of()
    await log.take(run, lambda: None)
    log.append(run, ["a", "b", "c"])
    await log.flushed(run, SECONDS)
    first = await reader_of(log)
    await first.until_sequence(2)
    assert first.cursor is not None

    second = Reader(log, conversation_of())
    await second.open(Cursor(first.cursor.epoch, 2))
    await second.until_sequence(3)

    assert second.told == {3: "c"}


async def test_a_batch_is_of_one_run(log: Log) -> None:
    first, reader = run_of("one"), await reader_of(log)
    await log.take(first, lambda: None)
    log.append(first, ["a"])
    await log.flushed(first, SECONDS)
    mark = log.leave(first, 2) or LogMark("", 1, 2)
    second = next_run(first, mark, "two")
    await log.take(second, lambda: None)
    log.append(second, ["b"])
    await log.flushed(second, SECONDS)

    await reader.until_sequence(2)

    assert reader.runs == {1: "one", 2: "two"}


async def test_a_cursor_of_another_epoch_can_not_continue(log: Log) -> None:
    bounds = await log.open(conversation_of(), Cursor("another", 1))

    assert not bounds.can_continue(Cursor("another", 1))
    with pytest.raises(LookupError):
        log.read(conversation_of().id, Cursor("another", 1), 1000)


async def test_nobody_speaks_who_has_not_taken_the_log(log: Log) -> None:
    with pytest.raises(KeyError):
        log.append(run_of(), ["a"])
    with pytest.raises(KeyError):
        await log.flushed(run_of(), SECONDS)


async def test_a_higher_fence_takes_the_log_from_a_lower(log: Log) -> None:
    lost: list[str] = []
    old = run_of(fence=1)
    await log.take(old, lambda: lost.append("old"))
    log.append(old, ["a"])
    await log.flushed(old, SECONDS)

    new = replace(old, fence=2, attempt=2)
    taken = await log.take(new, lambda: lost.append("new"))

    assert lost == ["old"]
    assert taken.restarted_at is None
    assert log.append(new, ["b"]) == 2
    with pytest.raises(KeyError):
        log.append(old, ["c"])
    with pytest.raises(KeyError):
        await log.flushed(old, SECONDS)


async def test_a_lower_fence_is_told_at_once_that_it_lost_the_log(log: Log) -> None:
    lost: list[str] = []
    new, old = run_of(fence=2, attempt=2), run_of(fence=1)
    await log.take(new, lambda: lost.append("new"))

    await log.take(old, lambda: lost.append("old"))

    assert lost == ["old"]
    with pytest.raises(KeyError):
        log.append(old, ["c"])
    log.append(new, ["b"])
    assert await log.flushed(new, SECONDS)


async def test_who_left_speaks_no_more(log: Log) -> None:
    run = run_of()
    await log.take(run, lambda: None)
    log.append(run, ["a"])
    await log.flushed(run, SECONDS)

    log.leave(run, 2)
    log.leave(run, 2)

    with pytest.raises(KeyError):
        log.append(run, ["b"])


async def test_the_readers_of_a_deleted_conversation_find_out(log: Log) -> None:
    run, reader = run_of(), await reader_of(log)
    await log.take(run, lambda: None)
    woken = asyncio.Event()
    log.watch(run.conversation_id, woken.set)

    log.forget(run.conversation_id)

    async with asyncio.timeout(SECONDS):
        await woken.wait()
    with pytest.raises(LookupError):
        reader.take()
    with pytest.raises(KeyError):
        log.append(run, ["x"])


async def test_a_conversation_that_is_not_open_can_not_be_watched(log: Log) -> None:
    with pytest.raises(KeyError):
        log.watch(ConversationId("d9b0"), lambda: None)


async def test_a_watch_tells_what_a_reader_has_not_taken(log: Log) -> None:
    run = run_of()
    await log.open(conversation_of(), None)
    watch = log.watch(run.conversation_id, lambda: None)
    await log.take(run, lambda: None)
    log.append(run, ["aa", "bbb"])
    await log.flushed(run, SECONDS)

    assert [watch.bytes_after(sequence) for sequence in (0, 1, 2)] == [5, 3, 0]
    watch.close()
    watch.close()


async def test_what_is_on_disk_is_forgotten_above_the_limit_all_but_the_last_run(log: Log) -> None:
    run, reader = run_of("0"), await reader_of(log)
    for number in range(1, 6):
        await log.take(run, lambda: None)
        log.append(run, [f"{number}" * 400])
        await log.flushed(run, SECONDS)
        mark = log.leave(run, 2 * number) or LogMark("", number, 2 * number)
        run = next_run(run, mark, str(number))

    async def is_trimmed() -> bool:
        return (await log.open(conversation_of(mark), None)).base > 0

    await reader.until_sequence(5)
    await eventually(is_trimmed)
    bounds = await log.open(conversation_of(mark), None)
    with pytest.raises(LookupError):
        log.read(run.conversation_id, Cursor(bounds.epoch, 0), 10_000)
    assert 0 < bounds.base < 5
    assert bounds.base_messages == 2 * bounds.base
    assert bounds.head == 5


async def test_the_end_of_a_run_can_be_said_by_the_next_attempt(log: Log) -> None:
    run, reader = run_of(), await reader_of(log)
    await log.take(run, lambda: None)
    log.append(run, ["a"])
    await log.flushed(run, SECONDS)

    ended = replace(run, fence=2, attempt=1, status=RunStatus.DONE)
    await log.take(ended, lambda: None)
    log.append(ended, ["end"])

    await reader.until_sequence(2)
    assert reader.texts == ["a", "end"]
