"""What so many people need follows from the costs, and grows with them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulate.costs import Costs, sources
from scripts.simulate.fleet import People, demand, shards_for, sized
from scripts.simulate.redis_shard import turn_seconds

COSTS = Costs()


@given(count=st.integers(1, 2_000_000))
def test_more_people_never_need_less(count: int) -> None:
    some, more = sized(People(count), COSTS), sized(People(2 * count), COSTS)
    assert more.nodes >= some.nodes
    assert more.shards >= some.shards
    assert more.postgres_servers >= some.postgres_servers
    assert more.postgres_cores >= some.postgres_cores


def test_what_is_asked_for_follows_from_how_people_use_it() -> None:
    asked = demand(People(3600, turns_per_hour=1, peak=1, answer_tokens=60, tokens_per_second=30))
    assert asked.turns == 1
    assert asked.tokens == 60
    assert asked.streams == pytest.approx(3)


def test_the_nodes_that_are_left_when_one_is_down_are_no_fuller_than_allowed() -> None:
    people = People(100_000)
    fleet = sized(people, COSTS)
    assert sum(fleet.node_cores.values()) / (fleet.nodes - 1) <= people.core_share


@given(tokens=st.floats(0, 2_000_000), nodes=st.integers(1, 500))
def test_a_shard_is_never_asked_for_more_than_it_can(tokens: float, nodes: int) -> None:
    shards = shards_for(tokens, nodes, 5e-3, COSTS)
    assert turn_seconds(tokens / shards, nodes, COSTS) <= 5e-3


def test_a_dearer_token_needs_more_nodes() -> None:
    dear = replace(COSTS, fleet_token_seconds=2 * COSTS.fleet_token_seconds)
    assert sized(People(100_000), dear).nodes > sized(People(100_000), COSTS).nodes


def test_every_cost_says_where_it_comes_from() -> None:
    known = sources()
    assert all(source.how for source in known.values())
    assert {source.kind for source in known.values()} == {"measured", "derived", "assumed"}
