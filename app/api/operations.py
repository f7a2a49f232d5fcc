"""REST for those who operate the nodes: which there are, who is connected, what is at work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from app.api.caller import Caller
from app.api.problems import problem_responses
from core.ports.fleet import Fleet, Node
from core.ports.presence import Connection, Presence
from core.ports.run_census import LiveRun, LiveStatus, RunCensus

LIMIT = 100
LIMIT_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]


class NodeBody(BaseModel):
    """One server process.

    `seen_seconds`: how long ago it gave its last sign of life, by the clock of what the nodes
    share. `slots`: how many runs it may have at work.
    """

    name: str
    host: str
    pid: int
    started_at: datetime
    seen_seconds: float
    connections: int
    runs: int
    slots: int
    is_draining: bool


class NodeList(BaseModel):
    """The nodes that live, by name. `total` counts also those beyond the limit."""

    nodes: list[NodeBody]
    total: int


class NodeConnections(BaseModel):
    """How many sockets are open on a node, of all tenants."""

    node: str
    connections: int


class ConnectionBody(BaseModel):
    """One open socket. `subscriptions`: how many conversations it reads now."""

    id: str
    principal: str
    node: str
    since: datetime
    subscriptions: int


class ConnectionList(BaseModel):
    """Who is connected.

    `nodes`: every node's sockets. `connections`: those of the caller's tenant, the oldest first;
    `total` counts also those beyond the limit.
    """

    nodes: list[NodeConnections]
    connections: list[ConnectionBody]
    total: int


class RunBody(BaseModel):
    """A run that is not over.

    `status` is `telling` where the answer is on disk and its last event is not known to be in the
    log. `owner`: the node that has it, empty where nobody does. `lease_seconds_left` is below 0
    where the owner has lost it, null where nodes have no leases. `waited_seconds`: from admission
    until it was taken last, or until now.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    status: LiveStatus
    owner: str
    attempt: int
    fence: int
    lease_seconds_left: float | None
    waited_seconds: float


class RunList(BaseModel):
    """What is waiting or at work.

    `counts`: of all tenants, by status. `runs`: those of the caller's tenant, the oldest first.
    """

    counts: dict[LiveStatus, int]
    runs: list[RunBody]


def operation_routes(fleet: Fleet, presence: Presence, census: RunCensus) -> APIRouter:
    """Return `/nodes`, `/connections` and `/runs`."""
    router = APIRouter(tags=["operations"], responses=problem_responses(422, 503))

    @router.get("/nodes")
    async def list_nodes(caller: Caller, limit: Limit = LIMIT) -> NodeList:
        """List the nodes that live, by name."""
        nodes = await fleet.nodes()
        return NodeList(nodes=[_node(one) for one in nodes[:limit]], total=len(nodes))

    @router.get("/connections")
    async def list_connections(caller: Caller, limit: Limit = LIMIT) -> ConnectionList:
        """List who is connected, on which node."""
        nodes = await fleet.nodes()
        found = await presence.connections(caller.tenant_id)
        return ConnectionList(
            nodes=_totals(nodes),
            connections=[_connection(one) for one in found[:limit]],
            total=len(found),
        )

    @router.delete("/connections", status_code=204)
    async def delete_connections(caller: Caller) -> None:
        """Log out everywhere: close the caller's sockets on every node, for good.

        With 503, those of this node are closed and the others could not be told.
        """
        await presence.expel(caller)

    @router.get("/runs")
    async def list_runs(caller: Caller, limit: Limit = LIMIT) -> RunList:
        """List the runs that are waiting or at work."""
        counts = await census.counts()
        found: Sequence[LiveRun] = await census.live(caller, limit)
        return RunList(counts=dict(counts), runs=[RunBody.model_validate(one) for one in found])

    return router


def _node(node: Node) -> NodeBody:
    return NodeBody(
        name=node.name,
        host=node.host,
        pid=node.pid,
        started_at=node.started_at,
        seen_seconds=round(node.seen_seconds, 3),
        connections=node.load.connections,
        runs=node.load.runs,
        slots=node.load.slots,
        is_draining=node.load.is_draining,
    )


def _totals(nodes: Sequence[Node]) -> list[NodeConnections]:
    return [NodeConnections(node=one.name, connections=one.load.connections) for one in nodes]


def _connection(connection: Connection) -> ConnectionBody:
    return ConnectionBody(
        id=connection.id,
        principal=connection.principal.id,
        node=connection.node,
        since=connection.since,
        subscriptions=connection.subscriptions,
    )
