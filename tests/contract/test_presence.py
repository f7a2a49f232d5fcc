"""What every list of connections must do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.infra.memory.presence import MemoryPresence
from core.errors import StorageUnavailable
from core.ids import PrincipalId, TenantId
from core.ports.presence import Connection, Presence
from core.principal import Principal
from tests.support.redis_nodes import RedisNode, redis_node, until
from tests.support.redis_server import RedisServer, redis_server

TENANT = TenantId("t")
ANN = Principal(PrincipalId("ann"), TENANT)
BOB = Principal(PrincipalId("bob"), TENANT)
STRANGER = Principal(PrincipalId("ann"), TenantId("other"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Socket:
    """Notes that it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def presence(request: pytest.FixtureRequest) -> AsyncIterator[Presence]:
    if request.param == "memory":
        yield MemoryPresence()
        return
    with redis_server() as server:
        async with redis_node(server.url, "node-1") as node:
            yield node.presence


@asynccontextmanager
async def pair(server: RedisServer) -> AsyncIterator[tuple[RedisNode, RedisNode]]:
    """Give two nodes that see each other's connections."""
    async with (
        redis_node(server.url, "node-1") as first,
        redis_node(server.url, "node-2") as second,
    ):
        await sees(first, second)
        await sees(second, first)
        yield first, second


async def sees(watching: RedisNode, other: RedisNode) -> None:
    """Return when what joins one node is listed by another; leaves the lists as they were."""
    probe = connection("probe", STRANGER, node=other.name)
    other.presence.join(probe, lambda: None)
    await lists(watching, probe, tenant=STRANGER.tenant_id)
    other.presence.leave(probe.id)
    await lists(watching, tenant=STRANGER.tenant_id)


async def lists(watching: RedisNode, *expected: Connection, tenant: TenantId = TENANT) -> None:
    """Return when a node lists exactly these."""

    async def is_so() -> bool:
        try:
            return list(await watching.presence.connections(tenant)) == list(expected)
        except StorageUnavailable:
            return False

    await until(is_so)


def connection(
    connection_id: str,
    principal: Principal = ANN,
    subscriptions: int = 0,
    *,
    node: str = "node-1",
    minute: int = 0,
) -> Connection:
    since = NOON + timedelta(minutes=minute)
    return Connection(connection_id, principal, node, since, subscriptions)


def join(presence: Presence, *connections: Connection) -> list[Socket]:
    sockets = [Socket() for _ in connections]
    for each, socket in zip(connections, sockets, strict=True):
        presence.join(each, socket.close)
    return sockets


async def test_those_who_joined_are_listed_until_they_leave(presence: Presence) -> None:
    join(presence, connection("1"), connection("2", BOB))
    assert list(await presence.connections(TENANT)) == [connection("1"), connection("2", BOB)]
    presence.leave("1")
    assert list(await presence.connections(TENANT)) == [connection("2", BOB)]


async def test_another_tenant_sees_none_of_them(presence: Presence) -> None:
    join(presence, connection("1"), connection("2", STRANGER))
    assert list(await presence.connections(TENANT)) == [connection("1")]


async def test_how_much_a_connection_reads_is_kept(presence: Presence) -> None:
    join(presence, connection("1"))
    presence.update("1", subscriptions=3)
    assert list(await presence.connections(TENANT)) == [connection("1", subscriptions=3)]


async def test_who_is_not_there_can_not_change_or_leave(presence: Presence) -> None:
    presence.update("1", subscriptions=3)
    presence.leave("1")
    assert list(await presence.connections(TENANT)) == []


async def test_all_sockets_of_a_principal_are_closed_and_no_other(presence: Presence) -> None:
    mine, also_mine, bobs, strangers = join(
        presence,
        connection("1"),
        connection("2"),
        connection("3", BOB),
        connection("4", STRANGER),
    )
    await presence.expel(ANN)
    assert [each.is_closed for each in (mine, also_mine, bobs, strangers)] == [
        True,
        True,
        False,
        False,
    ]


async def test_connections_of_all_nodes_are_listed_the_oldest_first(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        late, early = connection("1", minute=5), connection("2", node="node-2", minute=1)
        join(first.presence, late)
        join(second.presence, early)
        await lists(first, early, late)
        await lists(second, early, late)


async def test_what_changes_on_one_node_is_seen_on_the_other(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        join(first.presence, connection("1"), connection("2", minute=1))
        first.presence.update("1", subscriptions=3)
        await lists(second, connection("1", subscriptions=3), connection("2", minute=1))
        first.presence.leave("1")
        await lists(second, connection("2", minute=1))


async def test_another_tenant_sees_nothing_of_another_node(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        odd = [TenantId("*"), TenantId("[a-z]?"), TenantId("t\\"), TenantId("other")]
        for number, tenant in enumerate(odd):
            stranger = Principal(PrincipalId("ann"), tenant)
            join(first.presence, connection(str(number), stranger))
        join(first.presence, connection("mine"))
        await lists(second, connection("mine"))
        for number, tenant in enumerate(odd):
            stranger = Principal(PrincipalId("ann"), tenant)
            await lists(second, connection(str(number), stranger), tenant=tenant)


async def test_many_connections_are_told_in_batches(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        many = [connection(f"{number:05}") for number in range(1200)]
        join(first.presence, *many)

        async def is_listed() -> bool:
            return len(await second.presence.connections(TENANT)) == len(many)

        await until(is_listed)
        for each in many[:1100]:
            first.presence.leave(each.id)

        async def is_short() -> bool:
            return len(await second.presence.connections(TENANT)) == 100

        await until(is_short)


async def test_a_node_that_stops_takes_its_connections_off_the_list(redis: RedisServer) -> None:
    async with redis_node(redis.url, "node-1") as first:
        async with redis_node(redis.url, "node-2") as second:
            join(second.presence, connection("1", node="node-2"))
            await lists(first, connection("1", node="node-2"))
        await lists(first)


async def test_the_connections_of_a_node_that_died_go_with_it(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        join(second.presence, connection("1", node="node-2"))
        await lists(first, connection("1", node="node-2"))
        second.die()
        await lists(first)


async def test_joining_and_leaving_never_fail_while_redis_is_away(redis: RedisServer) -> None:
    async with pair(redis) as (first, _):
        redis.kill()
        join(first.presence, connection("1"))
        first.presence.update("1", 2)
        first.presence.leave("1")
        async with asyncio.timeout(3):
            with pytest.raises(StorageUnavailable):
                await first.presence.connections(TENANT)


async def test_a_redis_that_says_nothing_is_told_in_time(redis: RedisServer) -> None:
    async with pair(redis) as (first, _):
        redis.pause()
        async with asyncio.timeout(3):
            with pytest.raises(StorageUnavailable):
                await first.presence.connections(TENANT)
        redis.go_on()


async def test_a_list_that_redis_lost_is_told_again(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        join(first.presence, connection("1"), connection("2", minute=1))
        await lists(second, connection("1"), connection("2", minute=1))
        redis.kill()
        first.presence.leave("1")
        join(first.presence, connection("3", minute=2))
        redis.start()
        await lists(second, connection("2", minute=1), connection("3", minute=2))


async def test_a_list_that_redis_lost_a_part_of_is_told_again(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        join(first.presence, connection("1"))
        await lists(second, connection("1"))
        before: Any = await first.client.hgetall("colloquy:present:{node-1}")
        join(first.presence, connection("2", minute=1))
        await lists(second, connection("1"), connection("2", minute=1))
        # As after a restart that went back a second.
        await first.client.delete("colloquy:present:{node-1}")
        await first.client.hset("colloquy:present:{node-1}", mapping=before)
        await lists(second, connection("1"), connection("2", minute=1))


async def test_sockets_are_closed_on_every_node(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        [here] = join(first.presence, connection("1"))
        there, bobs = join(
            second.presence, connection("2", node="node-2"), connection("3", BOB, node="node-2")
        )
        await first.presence.expel(ANN)
        assert here.is_closed
        await until(lambda: there.is_closed)
        assert not bobs.is_closed


async def test_who_comes_back_after_it_was_expelled_is_let_in(redis: RedisServer) -> None:
    async with pair(redis) as (first, second):
        [old] = join(second.presence, connection("1", node="node-2"))
        await first.presence.expel(ANN)
        await until(lambda: old.is_closed)
        [new] = join(second.presence, connection("2", node="node-2"))
        [bobs] = join(second.presence, connection("3", BOB, node="node-2"))
        # By the time that this is known, all that came before it is.
        await first.presence.expel(BOB)
        await until(lambda: bobs.is_closed)
        assert not new.is_closed


async def test_a_node_that_could_not_hear_it_closes_sockets_too(
    redis: RedisServer,
) -> None:
    async with (
        redis_node(redis.url, "node-1") as first,
        redis_node(redis.url, "node-2", is_deaf=True) as second,
    ):
        await sees(first, second)
        [socket] = join(second.presence, connection("1", node="node-2"))
        await first.presence.expel(ANN)
        await until(lambda: socket.is_closed)


async def test_expelling_says_when_other_nodes_could_not_be_told(redis: RedisServer) -> None:
    async with pair(redis) as (first, _):
        [here] = join(first.presence, connection("1"))
        redis.kill()
        with pytest.raises(StorageUnavailable):
            await first.presence.expel(ANN)
        assert here.is_closed
