"""What nodes share works on a Redis Cluster, whose slots no command may cross."""

from core.ids import PrincipalId, RunId, TenantId
from core.ports.presence import Connection
from core.ports.signals import RunCancelled, Signal
from core.principal import Principal
from tests.contract.test_presence import NOON
from tests.support.redis_nodes import RedisNode, redis_node, until
from tests.support.redis_server import redis_cluster

ANN = Principal(PrincipalId("ann"), TenantId("t"))
CANCEL = RunCancelled(RunId("run"))


async def test_nodes_share_everything_on_a_cluster() -> None:
    with redis_cluster() as servers:
        async with (
            redis_node(servers[0].url, "node-1", is_cluster=True) as first,
            redis_node(servers[1].url, "node-2", is_cluster=True) as second,
        ):
            await share_everything(first, second)


async def share_everything(first: RedisNode, second: RedisNode) -> None:
    heard: list[Signal] = []
    closed: list[bool] = []
    second.signals.listen(heard.append)
    connection = Connection("1", ANN, "node-2", NOON, 2)
    second.presence.join(connection, lambda: closed.append(True))

    async def is_listed() -> bool:
        return list(await first.presence.connections(ANN.tenant_id)) == [connection]

    async def is_heard() -> bool:
        first.signals.send(CANCEL)
        return CANCEL in heard

    await until(is_listed)
    await until(is_heard)
    await first.presence.expel(ANN)
    await until(lambda: bool(closed))
    assert [node.name for node in await first.fleet.nodes()] == ["node-1", "node-2"]
