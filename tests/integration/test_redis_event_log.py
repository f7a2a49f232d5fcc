"""The log in Redis while Redis, the network and the nodes fail."""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import uvloop

from app.infra.redis.connection import check_server, connect
from app.infra.redis.log.event_log import RedisEventLog
from app.infra.redis.log.link import Link
from app.infra.redis.log.server import read_address
from core.conversations import LogMark
from core.errors import AppError, SettingsError, StorageUnavailable
from core.ids import ConversationId
from core.ports.event_log import Cursor
from core.runs import Run, RunStatus
from tests.support.event_logs import (
    C,
    Reader,
    conversation_of,
    eventually,
    next_run,
    redis_log,
    run_of,
)
from tests.support.redis_server import LossyProxy, RedisServer, redis_cluster, redis_server

SECONDS = 20
LOST_REPLIES = int(os.environ.get("LOST_REPLIES", "40"))
CANCELS = int(os.environ.get("CANCELS", "2000"))


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """A server that keeps nothing; tests may kill it."""
    shared_server.restart()
    return shared_server


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes look every few milliseconds whether they missed something."""
    monkeypatch.setattr("app.infra.redis.log.mirrors.CHECK_SECONDS", 0.05)


async def reader_of(log: RedisEventLog, mark: LogMark | None = None) -> Reader:
    reader = Reader(log, conversation_of(mark) if mark else conversation_of())
    await reader.open()
    return reader


async def speak(log: RedisEventLog, run: Run, texts: list[str]) -> None:
    for text in texts:
        log.append(run, [text])
    assert await log.flushed(run, SECONDS)


def texts(first: int, last: int) -> list[str]:
    return [f'"{number}"' for number in range(first, last + 1)]


async def test_readers_on_every_node_see_the_same(server: RedisServer) -> None:
    async with redis_log(server.url) as one, redis_log(server.url) as two:
        run, early, own = run_of(), await reader_of(two), await reader_of(one)
        await one.take(run, lambda: None)
        await speak(one, run, texts(1, 50))
        late = await reader_of(two)
        await speak(one, run, texts(51, 99))

        for reader in (early, own, late):
            await reader.until_sequence(99)
            assert reader.texts == texts(1, 99)
            assert reader.lookups_failed == reader.snapshots == 0
        # What the node says itself came back as an echo too, and was not told twice.
        assert one.stats.resyncs == two.stats.resyncs == 0


async def test_many_conversations_share_a_round_trip(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        runs = [run_of(f"r{number}", ConversationId(f"c{number}")) for number in range(300)]
        for run in runs:
            await log.take(run, lambda: None)
            log.append(run, ["a"])
            log.append(run, ["b"])
        for run in runs:
            assert await log.flushed(run, SECONDS)

        assert log.stats.appends == 300
        assert log.stats.flushes == 1
        assert log.stats.pending_bytes == 0


async def test_a_reply_that_is_lost_makes_no_event_twice(server: RedisServer) -> None:
    async with (
        LossyProxy(server.port) as proxy,
        redis_log(proxy.url) as owner,
        redis_log(server.url) as other,
    ):
        run, reader = run_of(), await reader_of(other)
        await owner.take(run, lambda: None)
        for number in range(1, LOST_REPLIES + 1):
            proxy.loses_next = True
            await speak(owner, run, texts(number, number))
            assert proxy.lost == number
        await reader.until_sequence(LOST_REPLIES)

        assert reader.texts == texts(1, LOST_REPLIES)
        assert server.ask("XLEN", f"colloquy:{{{C}}}:log") == f":{LOST_REPLIES}"
        assert owner.stats.gaps == 0


async def lose_nothing(server: RedisServer, harm: Callable[[], None]) -> None:
    """Check that what harms Redis while the owner lives is not even noticed."""
    async with redis_log(server.url) as one, redis_log(server.url) as two:
        before = run_of("before")
        await one.take(before, lambda: None)
        await speak(one, before, texts(1, 3))
        mark = one.leave(before, 2)
        assert mark is not None
        run = next_run(before, mark, "run")
        readers = [await reader_of(two), await reader_of(one)]
        for reader in readers:
            await reader.until_sequence(3)
        await one.take(run, lambda: None)
        for turn in range(5):
            await speak(one, run, texts(4 + turn * 20, 13 + turn * 20))
            for text in texts(14 + turn * 20, 23 + turn * 20):
                one.append(run, [text])
            harm()
        assert await one.flushed(run, SECONDS)
        for reader in readers:
            await reader.until_sequence(103)
            assert reader.texts == texts(1, 103)
            assert reader.lookups_failed == reader.snapshots == 0
        # Who comes now reads it from Redis, or is told what was before the run by a snapshot.
        async with redis_log(server.url) as three:
            late = await reader_of(three, mark)
            await late.until_sequence(103)
            assert late.texts[-100:] == texts(4, 103)
            assert late.cursor == Cursor(mark.epoch, 103)


async def test_a_redis_that_is_killed_and_has_a_file_loses_nothing() -> None:
    with redis_server(has_aof=True) as server:
        await lose_nothing(server, server.restart)


async def test_a_redis_that_comes_back_empty_is_filled_with_the_same_numbers(
    server: RedisServer,
) -> None:
    await lose_nothing(server, server.restart)


async def test_a_redis_that_is_emptied_is_filled_with_the_same_numbers(
    server: RedisServer,
) -> None:
    await lose_nothing(server, lambda: assert_ok(server.ask("FLUSHALL")))


async def test_a_redis_that_forgets_the_scripts_is_given_them_again(server: RedisServer) -> None:
    await lose_nothing(server, lambda: assert_ok(server.ask("SCRIPT", "FLUSH")))


async def test_connections_that_are_cut_lose_nothing(server: RedisServer) -> None:
    def cut() -> None:
        server.ask("CLIENT", "KILL", "TYPE", "pubsub")
        server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    await lose_nothing(server, cut)


def assert_ok(answer: str) -> None:
    assert answer == "+OK"


async def test_what_an_attempt_has_said_is_read_back_by_the_next(server: RedisServer) -> None:
    lost: list[str] = []
    async with redis_log(server.url) as old, redis_log(server.url) as new:
        run, reader = run_of(), await reader_of(new)
        await old.take(run, lambda: lost.append("old"))
        await speak(old, run, texts(1, 700))

        second = replace(run, fence=2, attempt=2)
        taken = await new.take(second, lambda: lost.append("new"))
        await speak(new, second, texts(701, 710))

        assert list(taken.said) == texts(1, 700)
        assert taken.restarted_at is None
        await reader.until_sequence(710)
        assert reader.texts == texts(1, 710)


async def test_a_node_that_was_replaced_can_not_speak(server: RedisServer) -> None:
    lost = asyncio.Event()
    async with redis_log(server.url) as old, redis_log(server.url) as new:
        run, reader = run_of(), await reader_of(new)
        await old.take(run, lost.set)
        await speak(old, run, texts(1, 5))
        second = replace(run, fence=2, attempt=2)
        await new.take(second, lambda: None)

        old.append(run, ['"late"'])
        async with asyncio.timeout(SECONDS):
            await lost.wait()

        assert old.stats.fenced == 1
        with pytest.raises(KeyError):
            old.append(run, ['"later"'])
        with pytest.raises(KeyError):
            await old.flushed(run, SECONDS)
        assert old.leave(run, 2) is None
        await speak(new, second, texts(6, 9))
        await reader.until_sequence(9)
        assert reader.texts == texts(1, 9)


async def test_a_node_that_was_replaced_can_not_fill_an_empty_redis(server: RedisServer) -> None:
    lost = asyncio.Event()

    async def not_held(run: Run) -> bool:
        return False

    async with redis_log(server.url, is_held=not_held) as old, redis_log(server.url) as new:
        run = run_of()
        await old.take(run, lost.set)
        await speak(old, run, texts(1, 5))
        server.ask("FLUSHALL")

        old.append(run, ['"late"'])
        async with asyncio.timeout(SECONDS):
            await lost.wait()

        reader = await reader_of(new)
        assert reader.take() is False
        assert old.stats.fenced == 1


async def test_a_log_is_filled_once_the_database_can_say_whose_it_is(server: RedisServer) -> None:
    answers: list[Exception | bool] = [StorageUnavailable("away"), StorageUnavailable("away"), True]

    async def is_held(run: Run) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with redis_log(server.url, is_held=is_held) as log:
        run, reader = run_of(), await reader_of(log)
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 5))
        server.ask("FLUSHALL")
        await speak(log, run, texts(6, 9))

        await reader.until_sequence(9)
        assert reader.texts == texts(1, 9)
        assert answers == []


async def test_the_database_is_asked_about_many_runs_at_a_time(server: RedisServer) -> None:
    asked: list[Run] = []
    are_asked = asyncio.Event()

    async def is_held(run: Run) -> bool:
        asked.append(run)
        if len(asked) == 3:
            are_asked.set()
        await are_asked.wait()
        return True

    async with redis_log(server.url, is_held=is_held) as log:
        runs = [run_of(name, ConversationId(f"of-{name}")) for name in ("a", "b", "c")]
        for run in runs:
            await log.take(run, lambda: None)
            await speak(log, run, texts(1, 5))
        server.ask("FLUSHALL")
        for run in runs:
            log.append(run, texts(6, 9))
        for run in runs:
            assert await log.flushed(run, SECONDS)


@pytest.mark.parametrize("harm", ["restart", "FLUSHALL"])
async def test_owner_and_redis_lost_begin_a_new_epoch(server: RedisServer, harm: str) -> None:
    async with redis_log(server.url) as log:
        mark = LogMark("e0", 40, 6)
        run, reader = run_of(log=mark), await reader_of(log, mark)
        async with redis_log(server.url) as dead:
            await dead.take(run, lambda: None)
            await speak(dead, run, texts(41, 50))
            await reader.until_sequence(50)
        if harm == "restart":
            server.restart()
        else:
            server.ask("FLUSHALL")

        second = replace(run, fence=2, attempt=2)
        taken = await taken_when_back(log, second)
        restarted = taken
        assert restarted.epoch != "e0"
        assert restarted[1:] == (1, 6)
        reader.conversation = conversation_of(restarted)
        await speak(log, second, texts(2, 9))

        await reader.until(lambda reader: reader.cursor == Cursor(restarted.epoch, 9))
        assert reader.lookups_failed == 1
        assert reader.snapshots == 2
        assert reader.texts == texts(2, 9)


async def taken_when_back(log: RedisEventLog, run: Run) -> LogMark:
    found: list[LogMark] = []

    async def is_taken() -> bool:
        try:
            taken = await log.take(run, lambda: None)
        except StorageUnavailable:
            return False
        assert list(taken.said) == []
        assert taken.restarted_at is not None
        found.append(taken.restarted_at)
        return True

    await eventually(is_taken)
    return found[0]


async def test_what_is_told_of_a_run_that_ended_before_redis_was_lost_is_on_disk(
    server: RedisServer,
) -> None:
    async with redis_log(server.url) as log:
        run = run_of()
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 5))
        mark = log.leave(run, 2)
        assert mark == LogMark("e0", 5, 2)
        server.ask("FLUSHALL")

        async with redis_log(server.url) as other:
            bounds = await other.open(conversation_of(mark), Cursor("e0", 5))
            assert bounds.can_continue(Cursor("e0", 5))
            assert (bounds.base, bounds.base_messages, bounds.head) == (5, 2, 5)
            second = next_run(run, mark, "second")
            await log.take(second, lambda: None)
            await speak(log, second, texts(6, 8))
            reader = Reader(other, conversation_of(mark))
            await reader.open(Cursor("e0", 5))
            await reader.until_sequence(8)
            assert reader.texts == texts(6, 8)


async def test_an_end_that_was_not_told_is_told_by_whoever_takes_the_run(
    server: RedisServer,
) -> None:
    async with redis_log(server.url) as log:
        run = run_of()
        async with redis_log(server.url) as dead:
            await dead.take(run, lambda: None)
            await speak(dead, run, texts(1, 5))

        ended = replace(run, fence=2, status=RunStatus.DONE)
        taken = await log.take(ended, lambda: None)

        assert list(taken.said) == texts(1, 5)
        assert log.append(ended, ['"end"']) == 6


async def test_a_message_that_was_lost_is_read_from_the_stream(server: RedisServer) -> None:
    async with (
        LossyProxy(server.port) as proxy,
        redis_log(server.url) as owner,
        redis_log(proxy.url) as far,
    ):
        run, reader = run_of(), await reader_of(far)
        await owner.take(run, lambda: None)
        await speak(owner, run, texts(1, 5))
        await reader.until_sequence(5)
        proxy.is_deaf = True
        await speak(owner, run, texts(6, 9))
        await eventually(proxy.has_swallowed)
        proxy.is_deaf = False

        await speak(owner, run, texts(10, 12))
        await reader.until_sequence(12)

        assert reader.texts == texts(1, 12)
        assert reader.lookups_failed == 0


@pytest.mark.usefixtures("often")
async def test_a_last_message_that_was_lost_is_found_without_another(server: RedisServer) -> None:
    async with (
        LossyProxy(server.port) as proxy,
        redis_log(server.url) as owner,
        redis_log(proxy.url) as far,
    ):
        run, reader = run_of(), await reader_of(far)
        await owner.take(run, lambda: None)
        proxy.is_deaf = True
        await speak(owner, run, texts(1, 9))
        await reader.until_sequence(9)

        assert reader.texts == texts(1, 9)


@pytest.mark.usefixtures("often")
async def test_a_connection_that_hangs_is_given_up(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        run, reader = run_of(), await reader_of(log)
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 3))
        server.pause()
        try:
            log.append(run, texts(4, 5))
            assert await log.flushed(run, 0.1) is False

            async def is_given_up() -> bool:
                return log.stats.reconnects >= 2

            await eventually(is_given_up)
        finally:
            server.go_on()
        assert await log.flushed(run, SECONDS)
        await reader.until_sequence(5)
        assert reader.texts == texts(1, 5)


async def test_a_reader_that_is_ahead_waits_until_the_log_is_rebuilt(server: RedisServer) -> None:
    async with redis_log(server.url) as owner, redis_log(server.url) as fresh:
        run = run_of()
        await owner.take(run, lambda: None)
        await speak(owner, run, texts(1, 20))
        server.ask("FLUSHALL")
        reader = Reader(fresh, conversation_of())
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.open(Cursor("e0", 20)))
            # Only what it says next tells the owner that Redis has lost everything.
            await asyncio.sleep(0)
            owner.append(run, texts(21, 21))

        await reader.until_sequence(21)
        assert reader.texts == texts(21, 21)
        assert reader.snapshots == 0


async def test_what_piled_up_while_redis_was_away_goes_in_pieces(server: RedisServer) -> None:
    async with redis_log(server.url, conversation_bytes=4_000_000) as log:
        server.kill()
        runs = [run_of(f"r{number}", ConversationId(f"c{number}")) for number in range(8)]
        for run in runs:
            await log.take(run, lambda: None)
            for _ in range(30):
                log.append(run, ["x" * 50_000] * 2)
        server.start()
        for run in runs:
            assert await log.flushed(run, SECONDS)
        reader = Reader(log, conversation_of(conversation_id=runs[0].conversation_id))
        await reader.open()
        await reader.until_sequence(60)
        assert log.stats.appends > 8 * 5
        assert log.stats.flushes > 2


async def test_a_number_that_somebody_else_gave_is_never_given_again(server: RedisServer) -> None:
    lost = asyncio.Event()
    async with redis_log(server.url) as log:
        run = run_of("first")
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 3))
        log.leave(run)

        # Its mark says that nothing was said so far.
        second = run_of("second", fence=2)
        await log.take(second, lost.set)
        log.append(second, ['"x"'])
        async with asyncio.timeout(SECONDS):
            await lost.wait()
        third = replace(second, fence=3, attempt=2)
        taken = await log.take(third, lambda: None)

        assert taken.restarted_at is not None


async def test_a_deleted_conversation_is_forgotten_on_every_node(server: RedisServer) -> None:
    async with redis_log(server.url) as one, redis_log(server.url) as two:
        run, reader = run_of(), await reader_of(two)
        await one.take(run, lambda: None)
        await speak(one, run, texts(1, 3))
        await reader.until_sequence(3)
        woken = asyncio.Event()
        two.watch(C, woken.set)

        one.forget(C)

        async with asyncio.timeout(SECONDS):
            await woken.wait()
        with pytest.raises(LookupError):
            reader.take()
        assert server.ask("DBSIZE") == ":0"


async def test_keys_do_not_outlive_what_they_are_for(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        run = run_of()
        await log.open(conversation_of(), None)
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 3))

        for name in ("log", "meta"):
            seconds = int(server.ask("TTL", f"colloquy:{{{C}}}:{name}").removeprefix(":"))
            assert 0 < seconds <= 3600


async def test_a_redis_that_is_away_is_said_to_be(server: RedisServer) -> None:
    async with redis_log(server.url) as log:
        server.kill()
        async with asyncio.timeout(SECONDS):
            with pytest.raises(StorageUnavailable):
                await log.open(conversation_of(), None)
            with pytest.raises(StorageUnavailable):
                await log.take(run_of(attempt=2, fence=2), lambda: None)
            # The first attempt needs nobody; what it says waits.
            run = run_of()
            await log.take(run, lambda: None)
            assert log.append(run, ["a"]) == 1
            assert await log.flushed(run, 0.05) is False
            assert log.stats.pending_bytes > 0
        server.start()
        assert await log.flushed(run, SECONDS)


async def test_a_run_that_can_not_send_more_than_is_kept_is_given_up(server: RedisServer) -> None:
    lost: list[bool] = []
    async with redis_log(server.url, conversation_bytes=10_000) as log:
        run = run_of()
        await log.take(run, lambda: lost.append(True))
        await speak(log, run, ["x" * 4000, "y" * 4000])
        # What Redis has makes room for more.
        await speak(log, run, ["x" * 4000, "y" * 4000])
        assert not lost
        server.kill()
        log.append(run, ["z" * 11_000])
        log.append(run, ["z"])

        assert lost == [True]
        with pytest.raises(KeyError):
            log.append(run, ["z"])
    server.start()


async def test_what_was_not_kept_can_not_be_sent_again(server: RedisServer) -> None:
    lost = asyncio.Event()
    async with redis_log(server.url, conversation_bytes=10_000) as log:
        run = run_of()
        await log.take(run, lost.set)
        for _ in range(5):
            await speak(log, run, ["x" * 4000])
        server.ask("FLUSHALL")

        log.append(run, ["y"])

        async with asyncio.timeout(SECONDS):
            await lost.wait()


async def test_copies_that_nobody_reads_are_dropped(
    server: RedisServer, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.redis.log.mirrors.IDLE_SECONDS", 0.0)
    other = ConversationId("other")
    async with redis_log(server.url) as log:
        reader = await reader_of(log)
        await log.open(conversation_of(conversation_id=other), None)

        async def is_dropped() -> bool:
            try:
                log.read(other, Cursor("e0", 0), 100)
            except LookupError:
                return True
            return False

        await eventually(is_dropped)
        assert reader.take() is False
        assert (await log.open(conversation_of(conversation_id=other), None)).epoch == "e0"


async def test_a_password_and_another_database_are_used(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "requirepass", "s3cret/&")
    url = f"redis://:s3cret%2F%26@127.0.0.1:{server.port}/3"
    async with redis_log(url) as log:
        run, reader = run_of(), await reader_of(log)
        await log.take(run, lambda: None)
        await speak(log, run, texts(1, 3))
        await reader.until_sequence(3)
    async with redis_log(server.url) as stranger:
        with pytest.raises(StorageUnavailable):
            await stranger.open(conversation_of(), None)


async def test_a_cancelled_question_never_gets_anothers_answer(server: RedisServer) -> None:
    chance = random.Random(1)
    for number in range(50):
        assert_ok(server.ask("SET", f"key{number}", f"value{number}"))
    async with LossyProxy(server.port) as proxy:
        proxy.delay_seconds = 0.001
        link = await Link.open(*read_address(proxy.url), "test")
        crossed = 0

        async def ask(number: int) -> None:
            nonlocal crossed
            [answer] = await link.ask([("GET", f"key{number}")])
            crossed += answer != f"value{number}".encode()

        async with asyncio.TaskGroup() as group:
            for _ in range(CANCELS):
                asked = group.create_task(ask(chance.randrange(50)))
                await asyncio.sleep(chance.random() * 0.002)
                asked.cancel()
                group.create_task(ask(chance.randrange(50)))
        link.close()
    assert crossed == 0


async def test_a_cancelled_command_of_the_client_never_gets_anothers_answer(
    server: RedisServer,
) -> None:
    chance = random.Random(1)
    async with LossyProxy(server.port) as proxy:
        proxy.delay_seconds = 0.001
        client = connect(proxy.url)
        crossed = 0

        async def ask(number: int) -> None:
            nonlocal crossed
            answer = await client.execute_command("ECHO", f"{number}")
            crossed += answer != f"{number}".encode()

        for number in range(CANCELS // 10):
            asked = asyncio.ensure_future(ask(number))
            await asyncio.sleep(chance.random() * 0.002)
            asked.cancel()
            await asyncio.wait([asked])
            await ask(-number)
        await client.aclose()
    assert crossed == 0


async def test_a_cluster_keeps_conversations_apart_and_together() -> None:
    with redis_cluster() as servers:
        url = servers[0].url
        conversations = [ConversationId(f"conversation-{number}") for number in range(30)]
        async with (
            redis_log(url, is_cluster=True) as one,
            redis_log(servers[2].url, is_cluster=True) as two,
        ):
            readers = []
            for conversation_id in conversations:
                reader = Reader(two, conversation_of(conversation_id=conversation_id))
                await reader.open()
                readers.append(reader)
                run = run_of("r", conversation_id)
                await one.take(run, lambda: None)
                one.append(run, texts(1, 2))
            servers[1].restart()
            for conversation_id, reader in zip(conversations, readers, strict=True):
                run = run_of("r", conversation_id)
                await speak(one, run, texts(3, 4))
                await reader.until_sequence(4)
                assert reader.texts == texts(1, 4)
                assert reader.lookups_failed == 0
                second = replace(run, fence=2, attempt=2)
                assert list((await two.take(second, lambda: None)).said) == texts(1, 4)
        assert all(server.ask("DBSIZE") != ":0" for server in servers)


async def test_a_server_says_what_is_at_risk(server: RedisServer) -> None:
    client = connect(server.url)
    bare = await check_server(client)
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    evicting = await check_server(client)
    await client.aclose()

    assert not bare.has_aof
    assert [warning.split(":")[0] for warning in bare.warnings] == [
        "Redis keeps no append-only file (appendonly no)"
    ]
    assert len(evicting.warnings) == 2
    assert "allkeys-lru" in evicting.warnings[1]
    assert bare.version.split(".")[0].isdecimal()


async def test_a_cluster_says_what_is_at_risk() -> None:
    with redis_cluster() as servers:
        client = connect(servers[0].url, is_cluster=True)
        facts = await check_server(client)
        await client.aclose()

    assert not facts.has_aof


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost", "redis://h:port"])
def test_an_address_that_can_not_be_read_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        connect(url)
    with pytest.raises(SettingsError):
        read_address(url)


async def test_a_server_that_can_not_be_asked_is_said_to_be_away() -> None:
    client = connect("redis://127.0.0.1:1")
    with pytest.raises(AppError):
        await check_server(client)
    await client.aclose()


def test_the_loop_of_the_product_carries_it_too(server: RedisServer) -> None:
    async def speak_and_read() -> list[str]:
        async with redis_log(server.url) as log:
            run, reader = run_of(), await reader_of(log)
            await log.take(run, lambda: None)
            await speak(log, run, texts(1, 3))
            await reader.until_sequence(3)
            return reader.texts

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(speak_and_read()) == texts(1, 3)
