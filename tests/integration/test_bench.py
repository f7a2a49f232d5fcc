"""The load driver measures a real server; here the bare relay, for as short as it can."""

import sys
from collections.abc import Iterator

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("it reads /proc", allow_module_level=True)

from scripts.bench.contenders import Contender, relay, scripted_model
from scripts.bench.plan import Kind, Plan
from scripts.bench.suite import drive


@pytest.fixture(scope="module", params=["bare", "fastapi"])
def contender(request: pytest.FixtureRequest) -> Iterator[tuple[Contender, int]]:
    name = str(request.param)
    with (
        scripted_model() as model,
        relay(name, f"scripts.bench.{name}_relay", model.url) as server,
    ):
        yield server, model.pid


def plan(contender: tuple[Contender, int], kind: Kind, streams: int, count: int) -> Plan:
    server, model_pid = contender
    url, pid = server.socket_url, server.pid
    return Plan(kind, "relay", url, pid, model_pid, streams=streams, count=count, seconds=0.5)


def test_turns_are_measured_one_by_one(contender: tuple[Contender, int]) -> None:
    result = drive(contender[0], plan(contender, "turns", 1, 5))
    assert result.faults == []
    assert result.tokens == 5
    assert result.p50 is not None


def test_streams_are_measured_while_all_of_them_talk(contender: tuple[Contender, int]) -> None:
    result = drive(contender[0], plan(contender, "paced", 3, 0))
    assert result.faults == []
    assert result.tokens > 0
    assert result.p99 is not None


def test_saturated_streams_are_measured(contender: tuple[Contender, int]) -> None:
    result = drive(contender[0], plan(contender, "saturated", 2, 2000))
    assert result.faults == []
    assert result.tokens > 0


def test_idle_sockets_are_weighed(contender: tuple[Contender, int]) -> None:
    result = drive(contender[0], plan(contender, "idle", 20, 0))
    assert result.faults == []
    assert result.bytes_each is not None


def test_a_server_that_hangs_up_is_a_fault(contender: tuple[Contender, int]) -> None:
    server, model_pid = contender
    nowhere = Plan("turns", "relay", "ws://127.0.0.1:9/ws", server.pid, model_pid)
    assert drive(server, nowhere).faults
