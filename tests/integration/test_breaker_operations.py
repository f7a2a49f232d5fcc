"""What operators see and do about breakers, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from app.api.breakers import breaker_routes
from app.api.caller import principal_of
from app.api.problems import install_problem_handlers
from app.bootstrap.breakers import open_breakers
from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from app.infra.telemetry.metrics import Metrics
from core.ids import PrincipalId, TenantId
from core.ports.breakers import CircuitState
from core.principal import LOCAL, USER, Principal
from tests.support.breaker_nodes import (
    FAILURES,
    NAME,
    Outside,
    all_are,
    breaker_nodes,
    fail,
    outcome,
    state,
)
from tests.support.prometheus import numbers_of
from tests.support.redis_server import redis_server
from tests.support.served import serving

ANN = Principal(PrincipalId("ann"), TenantId("t"), frozenset({USER}))
MODEL = "model:openai/org/gpt-5.4-mini"


def alone() -> PyBreakers:
    return PyBreakers(MemoryCircuits(), failures=FAILURES, open_seconds=60)


@asynccontextmanager
async def operators(
    breakers: PyBreakers, caller: Principal = LOCAL
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the REST."""
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(breaker_routes(breakers), prefix="/api/v1")
    app.dependency_overrides[principal_of] = lambda: caller
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False) as http,
    ):
        yield http


async def test_breakers_are_listed_by_name() -> None:
    breakers = alone()
    await fail(breakers)
    await fail(breakers, 1, name=MODEL)
    async with operators(breakers) as http:
        body = (await http.get("/breakers")).raise_for_status().json()
    model, tool = body["breakers"]
    assert model == {
        "name": MODEL,
        "state": "closed",
        "failures": 1,
        "opened_seconds": 0.0,
        "retry_after_seconds": 0.0,
    }
    assert (tool["name"], tool["state"], tool["failures"]) == (NAME, "open", FAILURES)
    assert tool["opened_seconds"] >= 0
    assert 0 < tool["retry_after_seconds"] <= 60


@pytest.mark.parametrize("name", [NAME, MODEL, "model:openai%2Forg%2Fgpt-5.4-mini"])
async def test_a_breaker_is_reset_by_its_name(name: str) -> None:
    breakers = alone()
    await fail(breakers)
    await fail(breakers, name=MODEL)
    async with operators(breakers) as http:
        answer = await http.post(f"/breakers/{name}/reset")
    assert answer.status_code == 204
    reset = NAME if name == NAME else MODEL
    assert {each.name: each.state for each in breakers.reports()} == {
        NAME: CircuitState.OPEN,
        MODEL: CircuitState.OPEN,
        reset: CircuitState.CLOSED,
    }


async def test_a_breaker_that_nobody_knows_is_not_found() -> None:
    async with operators(alone()) as http:
        answer = await http.post("/breakers/tool:unknown/reset")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_breakers_do_not_exist_for_those_who_are_not_operators() -> None:
    breakers = alone()
    await fail(breakers)
    async with operators(breakers, ANN) as http:
        answers = [await http.get("/breakers"), await http.post(f"/breakers/{NAME}/reset")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert state(breakers) is CircuitState.OPEN


async def test_a_reset_on_one_node_closes_it_on_every_node() -> None:
    with redis_server() as server:
        async with breaker_nodes(server.url, open_seconds=60) as nodes:
            await fail(nodes[0])
            await all_are(CircuitState.OPEN, *nodes)
            async with operators(nodes[2]) as http:
                (await http.post(f"/breakers/{NAME}/reset")).raise_for_status()
            await all_are(CircuitState.CLOSED, *nodes)


async def test_prometheus_sees_every_breaker() -> None:
    metrics = Metrics()
    breakers = open_breakers(MemoryCircuits(), metrics, failures=FAILURES, open_seconds=60)
    label = f"{{breaker={NAME}}}"
    assert "colloquy_breaker_state" + label not in await numbers_of(metrics)
    assert await outcome(breakers, Outside(is_up=True)) == "fine"
    assert (await numbers_of(metrics))["colloquy_breaker_state" + label] == 0
    await fail(breakers)
    assert await outcome(breakers, Outside()) == "refused"
    numbers = await numbers_of(metrics)
    assert numbers["colloquy_breaker_state" + label] == 2
    assert numbers["colloquy_breaker_opened_total" + label] == 1
    assert numbers["colloquy_breaker_refused_total" + label] == 1
    assert numbers["colloquy_breaker_probes_total" + label] == 0
