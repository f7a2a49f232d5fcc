"""The log's shards: what they add, what they batch, and when more of them help."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop
from scripts.simulate.redis_shard import RedisShard, Trip, turn_seconds
from scripts.simulate.shards import CALLS_PER_TRIP, LogLoad, logged

COSTS = Costs()
LOADS = st.builds(
    LogLoad,
    streams=st.integers(1, 60),
    nodes=st.integers(1, 5),
    shards=st.integers(1, 4),
    readers=st.integers(1, 2),
    seconds=st.just(0.5),
)


@settings(max_examples=20, deadline=None)
@given(load=LOADS, seed=st.integers(0, 1000))
def test_no_token_is_faster_than_its_way(load: LogLoad, seed: int) -> None:
    outcome = logged(load, COSTS, seed)
    way = COSTS.flush_seconds + 2 * COSTS.network_seconds + COSTS.redis_call_seconds
    assert all(wait > way for wait in outcome.waits)


@settings(max_examples=20, deadline=None)
@given(load=LOADS, seed=st.integers(0, 1000))
def test_a_token_is_never_counted_twice_and_never_without_a_call(load: LogLoad, seed: int) -> None:
    outcome = logged(load, COSTS, seed)
    assert outcome.tokens == pytest.approx(len(outcome.waits) / (0.8 * load.seconds))
    assert outcome.trips <= outcome.calls <= outcome.tokens
    assert outcome.calls <= CALLS_PER_TRIP * outcome.trips


def test_the_same_seed_gives_the_same_waits() -> None:
    load = LogLoad(50, seconds=0.5)
    assert logged(load, COSTS, 3) == logged(load, COSTS, 3)
    assert logged(load, COSTS, 3) != logged(load, COSTS, 4)


def test_more_shards_never_make_it_much_slower() -> None:
    waits = [
        logged(LogLoad(300, nodes=6, shards=shards, seconds=0.6), COSTS).wait_ms(0.5)
        for shards in (1, 2, 4, 8)
    ]
    assert all(after <= 1.1 * before for before, after in pairwise(waits))


def test_an_overloaded_shard_takes_more_in_each_call_and_loses_nothing() -> None:
    load = LogLoad(150, tokens_per_second=1000, seconds=0.4)
    outcome = logged(load, COSTS)
    assert outcome.busy == pytest.approx(1, abs=0.05)
    assert outcome.tokens > 1.5 * outcome.calls
    assert outcome.tokens == pytest.approx(load.streams * 1000, rel=0.1)


def test_a_shard_serves_together_what_came_during_its_last_turn() -> None:
    loop, answered = EventLoop(), list[tuple[str, float]]()
    shard = RedisShard(loop, COSTS, lambda conversation: (0,))

    def trip(name: str) -> Trip:
        return Trip({1: [0.0]}, lambda: answered.append((name, loop.now)))

    shard.arrive(trip("first"))
    shard.arrive(trip("second"))
    shard.arrive(trip("third"))
    loop.run()
    assert [name for name, _ in answered] == ["first", "second", "third"]
    assert answered[1][1] == answered[2][1] > answered[0][1]


@settings(max_examples=50)
@given(tokens=st.floats(1, 50_000), nodes=st.integers(1, 500))
def test_a_turn_is_longer_the_more_is_asked_of_a_shard(tokens: float, nodes: int) -> None:
    turn = turn_seconds(tokens, nodes, COSTS)
    assert turn >= COSTS.redis_turn_seconds
    assert turn <= turn_seconds(1.2 * tokens, nodes, COSTS)


def test_a_shard_that_is_asked_for_more_than_it_can_never_ends_its_turn() -> None:
    assert turn_seconds(2 / COSTS.redis_call_seconds, 3, COSTS) == float("inf")
