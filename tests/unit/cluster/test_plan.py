"""What a cluster consists of, and what is written down of it."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings
from scripts.cluster.part import ClusterError, Places
from scripts.cluster.plan import Plan, make_plan
from scripts.cluster.ports import Ports, why_not
from scripts.cluster.record import write_record
from scripts.cluster.secret import kept_secret

NAMED = {
    "redis_url": "redis://elsewhere:6379/0",
    "database_url": "postgresql://elsewhere/colloquy",
    "qdrant_url": "http://elsewhere:6333",
}
MakePlan = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path) -> MakePlan:
    """Return a way to plan a cluster whose stores are somebody else's."""
    places = Places(tmp_path)
    places.cluster.mkdir()

    def planned(nodes: int = 3, **settings: object) -> Plan:
        values = {**NAMED, "data_dir": tmp_path, "port": 0, **settings}
        return make_plan(Settings.model_validate(values), nodes, "relay")

    return planned


def test_named_stores_are_used_and_not_started(planned: MakePlan) -> None:
    plan = planned()
    assert plan.redis.part is None
    assert plan.postgres.part is None
    assert plan.index is None
    for node in plan.nodes.values():
        assert node.environment["REDIS_URL"] == NAMED["redis_url"]
        assert node.environment["DATABASE_URL"] == NAMED["database_url"]
        assert "INDEX_URL" not in node.environment


def test_the_nodes_share_an_index_where_no_qdrant_is_named(planned: MakePlan) -> None:
    plan = planned(qdrant_url="")
    assert plan.index is not None
    assert plan.index.part is not None
    urls = {node.environment["INDEX_URL"] for node in plan.nodes.values()}
    assert urls == {plan.index.url}


def test_a_named_index_is_used_and_not_started(planned: MakePlan) -> None:
    plan = planned(qdrant_url="", index_url="http://127.0.0.1:7070")
    assert plan.index is not None
    assert plan.index.part is None
    assert {node.environment["INDEX_URL"] for node in plan.nodes.values()} == {plan.index.url}


def test_the_nodes_have_names_and_ports_of_their_own(planned: MakePlan) -> None:
    plan = planned(nodes=4)
    environments = [node.environment for node in plan.nodes.values()]
    assert [each["NODE_NAME"] for each in environments] == [f"node-{i}" for i in range(1, 5)]
    assert len({each["PORT"] for each in environments}) == 4


def test_the_nodes_end_before_the_balancer_and_the_stores_last(planned: MakePlan) -> None:
    plan = planned(qdrant_url="")
    stores, between, nodes = plan.stages
    assert stores == []
    assert [part.name for part in between] == ["index", "relay"]
    assert [part.name for part in nodes] == ["node-1", "node-2", "node-3"]


@pytest.mark.parametrize("nodes", [0, -1, 65])
def test_a_number_of_nodes_that_makes_no_sense_is_told(planned: MakePlan, nodes: int) -> None:
    with pytest.raises(ClusterError, match="NODES: must be from 1 to 64"):
        planned(nodes=nodes)


def test_a_port_in_use_is_told(planned: MakePlan) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ClusterError, match=f"PORT: 127.0.0.1:{port} can't be used"):
            planned(port=port)


def test_the_record_has_the_pids_of_what_is_ours(planned: MakePlan) -> None:
    plan = planned(nodes=1)
    write_record(plan, {"relay": 11, "node-1": 12})
    record = json.loads(plan.places.record.read_text())

    [port] = plan.nodes
    assert record == {
        "balancer": {"url": plan.url, "pid": 11},
        "nodes": [{"name": "node-1", "url": f"http://127.0.0.1:{port}", "pid": 12}],
        "redis": {"url": NAMED["redis_url"], "pid": None},
        "postgres": {"url": NAMED["database_url"], "pid": None},
    }


def test_no_port_is_given_twice() -> None:
    ports = Ports()
    given = [ports.take() for _ in range(50)]
    assert len(set(given)) == 50
    assert all(why_not("127.0.0.1", port) is None for port in given)


def test_the_password_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "password"
    first = kept_secret(path)
    assert kept_secret(path) == first
    assert len(first) == 48
    assert path.stat().st_mode & 0o777 == 0o600
