"""What operators see, over real HTTP, a real Redis and a real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api.metrics import metric_routes
from app.api.operations import operation_routes
from app.api.problems import install_problem_handlers
from app.infra.memory.fleet import MemoryFleet
from app.infra.memory.presence import MemoryPresence
from app.infra.sql.run_census import SqlRunCensus
from app.infra.sql.run_store import SqlRunStore
from app.infra.telemetry.metrics import Metrics
from core.clock import SystemClock
from core.ids import PrincipalId, TenantId
from core.ports.fleet import Fleet, NodeLoad
from core.ports.presence import Connection, Presence
from core.ports.run_store import AdmissionLimits
from core.principal import LOCAL, Principal
from core.runs import OnBusy
from tests.support.colloquy import RunningServer
from tests.support.prometheus import numbers_in, numbers_of
from tests.support.redis_nodes import redis_node, until
from tests.support.redis_server import redis_server
from tests.support.served import serving
from tests.support.socket_peer import CONVERSATION, RUN, subscribe
from tests.support.socket_server import running_door, welcomed
from tests.support.sql import migrated_database, run_request

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STRANGER = Principal(PrincipalId("ann"), TenantId("other"))
LIMITS = AdmissionLimits(10, 5)


@asynccontextmanager
async def operators(
    folder: Path, fleet: Fleet, presence: Presence
) -> AsyncIterator[tuple[httpx.AsyncClient, SqlRunStore]]:
    """Give a client of the REST, and the store whose runs it shows."""
    async with migrated_database(folder) as database:
        census = SqlRunCensus(database, SystemClock())
        app = FastAPI()
        install_problem_handlers(app)
        app.include_router(operation_routes(fleet, presence, census), prefix="/api/v1")
        runs = SqlRunStore(database, SystemClock(), "node-1", 4.0)
        async with (
            serving(app) as url,
            httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False) as http,
        ):
            yield http, runs


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, SqlRunStore, Presence]]:
    """Give the operators of one node that shares nothing."""
    fleet, presence = MemoryFleet("node-1"), MemoryPresence()
    load = NodeLoad(connections=2, runs=1, slots=8)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(fleet.keep(lambda: load))
        async with operators(folder, fleet, presence) as (http, runs):
            yield http, runs, presence
        keeping.cancel()


def connection(
    connection_id: str, principal: Principal = LOCAL, node: str = "node-1"
) -> Connection:
    return Connection(connection_id, principal, node, NOON, subscriptions=3)


async def test_one_node_lists_itself(tmp_path: Path) -> None:
    async with alone(tmp_path) as (http, _, _):
        body = (await http.get("/nodes")).raise_for_status().json()

    [node] = body["nodes"]
    assert body["total"] == 1
    assert node["name"] == "node-1"
    assert (node["connections"], node["runs"], node["slots"]) == (2, 1, 8)
    assert node["is_draining"] is False


async def test_connections_are_those_of_the_callers_tenant(tmp_path: Path) -> None:
    async with alone(tmp_path) as (http, _, presence):
        for each in (connection("1"), connection("2", STRANGER), connection("3")):
            presence.join(each, lambda: None)
        body = (await http.get("/connections", params={"limit": 1})).raise_for_status().json()

    assert body["nodes"] == [{"node": "node-1", "connections": 2}]
    assert body["total"] == 2
    assert body["connections"] == [
        {
            "id": "1",
            "principal": "local",
            "node": "node-1",
            "since": "2026-01-01T12:00:00Z",
            "subscriptions": 3,
        }
    ]


async def test_runs_are_counted_and_listed_by_state(tmp_path: Path) -> None:
    async with alone(tmp_path) as (http, runs, _):
        first = run_request("1", "c", on_busy=OnBusy.QUEUE)
        second = run_request("2", "c", on_busy=OnBusy.QUEUE)
        await runs.admit(first, LIMITS, may_start=True)
        await runs.admit(second, LIMITS, may_start=True)
        body = (await http.get("/runs")).raise_for_status().json()
        short = (await http.get("/runs", params={"limit": 1})).raise_for_status().json()

    assert body["counts"] == {"queued": 1, "running": 1, "telling": 0}
    states = [(run["id"], run["status"], run["owner"], run["attempt"]) for run in body["runs"]]
    assert states == [("1", "running", "node-1", 1), ("2", "queued", "", 0)]
    assert all(run["waited_seconds"] >= 0 for run in body["runs"])
    assert [run["id"] for run in short["runs"]] == ["1"]


@pytest.mark.parametrize("path", ["/nodes", "/connections", "/runs"])
@pytest.mark.parametrize("limit", ["0", "1001", "many"])
async def test_a_limit_out_of_range_is_refused(tmp_path: Path, path: str, limit: str) -> None:
    async with alone(tmp_path) as (http, _, _):
        answer = await http.get(path, params={"limit": limit})

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


async def test_nodes_and_connections_of_the_whole_fleet_are_shown_by_any_node(
    tmp_path: Path,
) -> None:
    with redis_server() as server:
        async with (
            redis_node(server.url, "node-1") as first,
            redis_node(server.url, "node-2") as second,
            operators(tmp_path, first.fleet, first.presence) as (http, _),
        ):
            second.presence.join(connection("1", node="node-2"), lambda: None)

            async def is_shown() -> bool:
                body = (await http.get("/connections")).raise_for_status().json()
                return [one["node"] for one in body["connections"]] == ["node-2"]

            await until(is_shown)
            nodes = (await http.get("/nodes")).json()
            short = (await http.get("/nodes", params={"limit": 1})).json()

    assert [node["name"] for node in nodes["nodes"]] == ["node-1", "node-2"]
    assert ([node["name"] for node in short["nodes"]], short["total"]) == (["node-1"], 2)


async def test_logging_out_everywhere_closes_the_sockets_of_every_node(tmp_path: Path) -> None:
    closed: list[str] = []
    with redis_server() as server:
        async with (
            redis_node(server.url, "node-1") as first,
            redis_node(server.url, "node-2") as second,
            operators(tmp_path, first.fleet, first.presence) as (http, _),
        ):
            first.presence.join(connection("1"), lambda: closed.append("mine"))
            second.presence.join(connection("2", node="node-2"), lambda: closed.append("far"))
            second.presence.join(connection("3", STRANGER), lambda: closed.append("stranger's"))
            answer = await http.delete("/connections")
            await until(lambda: len(closed) == 2)

    assert (answer.status_code, answer.content) == (204, b"")
    assert closed == ["mine", "far"]


async def test_without_redis_operators_are_told_so_in_time(tmp_path: Path) -> None:
    with redis_server() as server:
        async with (
            redis_node(server.url, "node-1") as node,
            operators(tmp_path, node.fleet, node.presence) as (http, _),
        ):
            server.kill()
            answers = [
                await http.get("/nodes", timeout=3),
                await http.get("/connections", timeout=3),
                await http.delete("/connections", timeout=3),
            ]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.json()["code"] for answer in answers} == {"storage_unavailable"}


async def test_prometheus_is_served_what_it_reads() -> None:
    metrics = Metrics()
    metrics.run_started(is_takeover=True)
    app = FastAPI()
    app.include_router(metric_routes(metrics.text))
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        answer = await http.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert numbers_in(answer.text)["colloquy_run_takeovers_total"] == 1


async def test_how_late_the_loop_is_is_measured() -> None:
    metrics = Metrics()

    async def is_measured() -> bool:
        return (await numbers_of(metrics))["colloquy_loop_lag_seconds_count"] > 0

    async with asyncio.TaskGroup() as group:
        measuring = group.create_task(metrics.run())
        await until(is_measured)
        measuring.cancel()


async def test_the_sockets_of_a_node_are_summed_up() -> None:
    async with running_door() as door:
        conversation = door.backstage.readings.add(CONVERSATION)
        async with welcomed(door) as one, welcomed(door):
            await one.ask(subscribe())
            await door.do(lambda: conversation.say(RUN, '{"type":"CUSTOM"}'))
            await one.hear_events(1)
            traffic = await door.call(door.door.traffic())

    assert (traffic.sockets, traffic.subscriptions, traffic.lag_bytes) == (2, 1, 0)


async def test_the_whole_server_shows_its_operators_everything(server: RunningServer) -> None:
    async with server.client() as http:
        nodes = (await http.get("/api/v1/nodes")).raise_for_status().json()
        connections = (await http.get("/api/v1/connections")).raise_for_status().json()
        runs = (await http.get("/api/v1/runs")).raise_for_status().json()
        told = numbers_in((await http.get("/metrics")).raise_for_status().text)

    [node] = nodes["nodes"]
    assert connections["nodes"] == [{"node": node["name"], "connections": node["connections"]}]
    assert set(runs["counts"]) == {"queued", "running", "telling"}
    assert told["colloquy_slots"] == node["slots"]
    assert told["colloquy_sockets"] >= 0
    assert told["colloquy_outbox_bytes"] >= 0
    assert "colloquy_runs{state=running}" in told
