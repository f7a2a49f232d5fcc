"""However many messages come, slots and queue stay bounded, and everybody gets an answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.simulate.costs import Costs
from scripts.simulate.overload import Rush, rushed

COSTS = Costs()
RUSHES = st.builds(
    Rush,
    per_second=st.floats(1, 60),
    slots=st.integers(1, 40),
    queue=st.integers(0, 20),
    run_seconds=st.floats(0.1, 3),
    tries=st.integers(1, 5),
    seconds=st.just(15.0),
)


@settings(max_examples=30, deadline=None)
@given(rush=RUSHES, seed=st.integers(0, 1000))
def test_overload_never_exceeds_the_bounds(rush: Rush, seed: int) -> None:
    outcome = rushed(rush, COSTS, seed)
    assert outcome.most_at_work <= rush.slots
    assert outcome.most_queued <= rush.queue
    assert outcome.bytes_at_work <= rush.slots * COSTS.run_bytes
    assert outcome.admitted + outcome.gave_up <= outcome.came
    assert outcome.done <= len(outcome.waits) <= outcome.admitted
    assert outcome.gave_up * rush.tries <= outcome.refusals <= outcome.came * rush.tries


def test_the_same_seed_gives_the_same_rush() -> None:
    rush = Rush(20.0, slots=30, seconds=20.0)
    assert rushed(rush, COSTS, 2) == rushed(rush, COSTS, 2)
    assert rushed(rush, COSTS, 2) != rushed(rush, COSTS, 3)


def test_nobody_is_refused_while_there_is_room() -> None:
    outcome = rushed(Rush(5.0, slots=300, seconds=30.0), COSTS)
    assert outcome.refusals == 0
    assert max(outcome.waits) == 0


def test_a_full_queue_is_refused_and_what_is_queued_waits_no_longer_than_the_queue_is() -> None:
    rush = Rush(60.0, slots=30, queue=10, run_seconds=1.0, seconds=30.0)
    outcome = rushed(rush, COSTS)
    assert outcome.refusals > 0
    # Ten that wait for thirty slots of a second each: a third of a second, with some room.
    assert max(outcome.waits) < 1.5
