"""What every list of nodes must do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from app.infra.memory.fleet import MemoryFleet
from app.infra.redis.connection import connect
from app.infra.redis.fleet import RedisFleet
from core.errors import StorageUnavailable
from core.ports.fleet import Fleet, Node, NodeLoad
from tests.support.redis_nodes import until
from tests.support.redis_server import RedisServer, redis_server

IDLE = NodeLoad(connections=0, runs=0, slots=8)
BUSY = NodeLoad(connections=7, runs=8, slots=8, is_draining=True)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def redis_fleet(server: RedisServer, name: str) -> AsyncIterator[RedisFleet]:
    client = connect(server.url)
    try:
        yield RedisFleet(client, name)
    finally:
        await client.aclose()


@pytest.fixture(params=["memory", "redis"])
async def fleet(request: pytest.FixtureRequest) -> AsyncIterator[Fleet]:
    if request.param == "memory":
        yield MemoryFleet("node-1")
        return
    with redis_server() as server:
        async with redis_fleet(server, "node-1") as fleet:
            yield fleet


@asynccontextmanager
async def kept(fleet: Fleet, load: NodeLoad = IDLE) -> AsyncIterator[list[NodeLoad]]:
    """Keep a node in the list; what it does may be changed in the list that is given."""
    doing = [load]
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(fleet.keep(lambda: doing[0]))
        yield doing
        keeping.cancel()


async def listed(fleet: Fleet, *names: str) -> list[Node]:
    """Return the nodes once they are these."""

    found: list[Node] = []

    async def is_so() -> bool:
        try:
            found[:] = await fleet.nodes()
        except StorageUnavailable:
            return False
        return [node.name for node in found] == list(names)

    await until(is_so)
    return found


async def test_a_node_is_listed_while_it_says_that_it_lives(fleet: Fleet) -> None:
    assert list(await fleet.nodes()) == []
    async with kept(fleet):
        [node] = await listed(fleet, "node-1")
        assert (node.host != "", node.pid > 0, node.load) == (True, True, IDLE)
        assert 0 <= node.seen_seconds < 5
    await listed(fleet)


async def test_what_a_node_does_is_told_anew(fleet: Fleet) -> None:
    async with kept(fleet) as doing:
        await listed(fleet, "node-1")
        doing[0] = BUSY

        async def is_told() -> bool:
            return [node.load for node in await fleet.nodes()] == [BUSY]

        await until(is_told)


async def test_nodes_see_each_other_by_name(redis: RedisServer) -> None:
    async with (
        redis_fleet(redis, "node-2") as second,
        redis_fleet(redis, "node-1") as first,
        kept(second, BUSY),
        kept(first),
    ):
        nodes = await listed(first, "node-1", "node-2")
        assert [node.load for node in nodes] == [IDLE, BUSY]


async def test_a_node_that_is_not_heard_of_is_not_listed(redis: RedisServer) -> None:
    async with (
        redis_fleet(redis, "node-1") as watching,
        redis_fleet(redis, "node-2") as dying,
        kept(watching),
    ):
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(dying.keep(lambda: IDLE))
            await listed(watching, "node-1", "node-2")
            # A node that is killed says no good-bye.
            dying._leave = nothing  # type: ignore[method-assign]  # no other way to leave out
            keeping.cancel()
        still = [node.name for node in await watching.nodes()]
        await listed(watching, "node-1")
    assert still == ["node-1", "node-2"]


async def nothing() -> None:
    return


async def test_a_list_that_was_lost_is_whole_again_by_itself(redis: RedisServer) -> None:
    async with redis_fleet(redis, "node-1") as fleet, kept(fleet):
        await listed(fleet, "node-1")
        redis.kill()
        with pytest.raises(StorageUnavailable):
            await fleet.nodes()
        redis.start()
        await listed(fleet, "node-1")


async def test_a_redis_that_says_nothing_is_told_in_time(redis: RedisServer) -> None:
    async with redis_fleet(redis, "node-1") as fleet, kept(fleet):
        await listed(fleet, "node-1")
        redis.pause()
        async with asyncio.timeout(3):
            with pytest.raises(StorageUnavailable):
                await fleet.nodes()
        redis.go_on()
        await listed(fleet, "node-1")
