"""What everything that wakes other nodes must do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from app.infra.memory.signals import MemorySignals
from app.infra.redis.channels import CHANNEL, ControlChannel
from app.infra.redis.connection import connect
from app.infra.redis.signals import RedisSignals
from core.ids import RunId
from core.ports.signals import RunCancelled, RunWaits, Signal, Signals
from tests.support.redis_nodes import until
from tests.support.redis_server import RedisServer, redis_server

ALL: list[Signal] = [
    RunCancelled(RunId("run")),
    RunWaits(),
]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


class Ear:
    """One node's signals, and what it heard."""

    def __init__(self, channel: ControlChannel) -> None:
        self.channel = channel
        self.signals = RedisSignals(channel)
        self.heard: list[Signal] = []
        self.signals.listen(self.heard.append)

    async def hears(self, *signals: Signal) -> bool:
        """Return whether it has heard these."""
        return all(each in self.heard for each in signals)


@asynccontextmanager
async def ear(server: RedisServer, node: str, waiting_max: int = 100) -> AsyncIterator[Ear]:
    client = connect(server.url)
    channel = ControlChannel(client, node, waiting_max)
    try:
        async with asyncio.TaskGroup() as group:
            carrying = group.create_task(channel.run())
            yield Ear(channel)
            carrying.cancel()
    finally:
        await client.aclose()


@asynccontextmanager
async def pair(server: RedisServer) -> AsyncIterator[tuple[Ear, Ear]]:
    """Give two nodes that hear each other."""
    async with ear(server, "node-1") as first, ear(server, "node-2") as second:
        await reached(first, second)
        await reached(second, first)
        yield first, second


async def reached(sender: Ear, hearer: Ear) -> None:
    """Return when one is heard by the other, and forget what was said to find out."""
    probe = RunCancelled(RunId("probe"))

    async def is_heard() -> bool:
        sender.signals.send(probe)
        return probe in hearer.heard

    await until(is_heard)
    sender.heard.clear()
    hearer.heard.clear()


@pytest.fixture(params=["memory", "redis"])
async def signals(request: pytest.FixtureRequest) -> AsyncIterator[Signals]:
    if request.param == "memory":
        yield MemorySignals()
        return
    with redis_server() as server:
        async with ear(server, "node-1") as one:
            yield one.signals


async def test_sending_never_fails_and_is_not_heard_back(signals: Signals) -> None:
    heard: list[Signal] = []
    signals.listen(heard.append)
    for signal in ALL:
        signals.send(signal)
    assert heard == []


async def test_every_signal_reaches_the_other_node_and_not_its_sender(
    redis: RedisServer,
) -> None:
    async with pair(redis) as (first, second):
        for signal in ALL:
            first.signals.send(signal)
        await until(lambda: second.hears(*ALL))
        second.signals.send(RunWaits())
        await until(lambda: first.hears(RunWaits()))
        assert [each for each in second.heard if each in ALL] == ALL
        assert RunCancelled(RunId("run")) not in first.heard


async def test_nodes_hear_each_other_again_after_redis_was_down(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        redis.kill()
        first.signals.send(RunWaits())
        await until(lambda: second.channel.reconnects > 0)
        redis.start()
        await reached(second, first)
        await reached(first, second)


async def test_what_could_not_be_sent_is_sent_once_it_can_be(redis: RedisServer) -> None:
    client = connect(redis.url)

    async def is_refused() -> bool:
        return bool(await client.execute_command("ACL", "LOG"))

    async with pair(redis) as (first, second):
        await client.execute_command("ACL", "SETUSER", "default", "-publish")
        for signal in ALL:
            first.signals.send(signal)
        await until(is_refused)
        await client.execute_command("ACL", "SETUSER", "default", "+publish")
        await until(lambda: second.hears(*ALL))
    await client.aclose()


async def test_a_connection_that_hangs_is_made_anew(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        redis.pause()
        await until(lambda: second.channel.reconnects > 0)
        redis.go_on()
        await reached(first, second)


async def test_too_much_that_waits_is_dropped_the_oldest_first(redis: RedisServer) -> None:
    async with ear(redis, "node-1", waiting_max=10) as first, ear(redis, "node-2") as second:
        await reached(first, second)
        cancels = [RunCancelled(RunId(str(number))) for number in range(25)]
        for cancel in cancels:
            first.signals.send(cancel)
        await until(lambda: second.hears(*cancels[15:]))
        # A probe may have been waiting too.
        assert first.channel.dropped in (15, 16)
        assert not await second.hears(cancels[14])


async def test_what_is_said_twice_waits_once(redis: RedisServer) -> None:
    async with ear(redis, "node-1", waiting_max=10) as first, ear(redis, "node-2") as second:
        await reached(first, second)
        for _ in range(25):
            first.signals.send(RunWaits())
        await until(lambda: second.hears(RunWaits()))
        assert first.channel.dropped == 0


@pytest.mark.parametrize("nonsense", [b"", b"{", b"[]", b'["node-9", 7]', b'["node-9", [["x"]]]'])
async def test_nonsense_makes_nobody_deaf(redis: RedisServer, nonsense: bytes) -> None:
    async with pair(redis) as (first, second):
        client = connect(redis.url)
        await client.publish(CHANNEL, nonsense)
        await client.aclose()
        await reached(first, second)
