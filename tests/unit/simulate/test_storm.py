"""The clients of a dead node come back, each once, and not all at the same moment."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.simulate.costs import Costs
from scripts.simulate.storm import Storm, all_at_once, stormed

COSTS = Costs()


@settings(max_examples=20, deadline=None)
@given(sockets=st.integers(1, 300), nodes=st.integers(1, 10), seed=st.integers(0, 1000))
def test_everybody_comes_back_once_and_not_before_their_pause(
    sockets: int, nodes: int, seed: int
) -> None:
    storm = Storm(sockets, nodes)
    outcome = stormed(storm, COSTS, seed)
    assert len(outcome.back) == sockets
    assert outcome.sent_away == 0
    assert min(outcome.back) > storm.first_pause
    assert outcome.back_within(0.95) <= outcome.back_within(1.0)


def test_the_same_seed_gives_the_same_storm() -> None:
    storm = Storm(100)
    assert stormed(storm, COSTS, 5) == stormed(storm, COSTS, 5)
    assert stormed(storm, COSTS, 5) != stormed(storm, COSTS, 6)


def test_a_database_is_asked_as_often_as_each_subscription_needs() -> None:
    once, twice = (stormed(Storm(200, queries=queries), COSTS) for queries in (1, 2))
    assert twice.peak_queries == 2 * once.peak_queries


def test_five_hundred_sockets_are_back_in_six_seconds() -> None:
    outcome = stormed(Storm(500), COSTS)
    assert outcome.back_within(0.95) <= 6
    assert outcome.peak_busy < 0.85


def test_who_comes_back_without_jitter_is_back_sooner_and_wants_more() -> None:
    storm = Storm(1000, nodes=4)
    spread, together = stormed(storm, COSTS), stormed(all_at_once(storm), COSTS)
    assert together.back_within(1.0) < spread.back_within(1.0)
    assert together.peak_busy - storm.busy > 2 * (spread.peak_busy - storm.busy)


def test_a_hello_that_is_read_too_late_sends_its_client_away() -> None:
    outcome = stormed(Storm(500, nodes=1, busy=0.9, last_pause=0.2, hello_seconds=1.0), COSTS)
    assert outcome.sent_away > 0
    assert outcome.sent_away + len(outcome.back) == 500
