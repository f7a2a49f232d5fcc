"""The rules of one breaker: what it lets through, and what changes its mind."""

import pytest

from app.infra.resilience.circuit import Circuit, Outcome, Ticket
from core.ports.breakers import CircuitState
from core.ports.circuits import CircuitFacts, CircuitWord

FAILURES = 3
OPEN_SECONDS = 30.0


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def circuit(time: Time) -> Circuit:
    return Circuit("tool:x", failures=FAILURES, open_seconds=OPEN_SECONDS, now=time)


def admitted(circuit: Circuit) -> Ticket:
    ticket = circuit.take(10)
    assert ticket is not None
    return ticket


def end(circuit: Circuit, *outcomes: Outcome) -> list[CircuitWord | None]:
    """Make one call after the other, and return what others must hear."""
    return [circuit.finish(admitted(circuit), outcome) for outcome in outcomes]


def trip(circuit: Circuit) -> None:
    end(circuit, *[Outcome.FAILED] * FAILURES)
    assert circuit.state is CircuitState.OPEN


def ripen(circuit: Circuit, time: Time) -> None:
    trip(circuit)
    time.seconds += OPEN_SECONDS


def test_calls_that_go_well_are_nobodys_business(circuit: Circuit) -> None:
    assert end(circuit, Outcome.WELL, Outcome.WELL) == [None, None]


def test_it_opens_after_so_many_failures_in_a_row_and_not_before(circuit: Circuit) -> None:
    words = end(circuit, Outcome.FAILED, Outcome.FAILED)
    assert words == [CircuitWord.FAILED, CircuitWord.FAILED]
    assert circuit.report().state is CircuitState.CLOSED
    end(circuit, Outcome.FAILED)
    assert circuit.report().state is CircuitState.OPEN
    assert circuit.take(10) is None
    assert (circuit.opened, circuit.retry_after_seconds) == (1, OPEN_SECONDS)


def test_a_success_ends_the_row(circuit: Circuit) -> None:
    words = end(circuit, Outcome.FAILED, Outcome.FAILED, Outcome.WELL, Outcome.FAILED)
    assert words[2] is CircuitWord.RECOVERED
    assert circuit.report().failures == 1


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.ANSWERED])
def test_what_counts_as_nothing_neither_opens_it_nor_ends_the_row(
    circuit: Circuit, outcome: Outcome
) -> None:
    assert end(circuit, *[outcome] * 100) == [None] * 100
    end(circuit, Outcome.FAILED, outcome, Outcome.FAILED, outcome, Outcome.FAILED)
    assert circuit.state is CircuitState.OPEN


def test_calls_that_began_before_it_opened_do_not_keep_it_open(
    circuit: Circuit, time: Time
) -> None:
    late = [admitted(circuit) for _ in range(20)]
    trip(circuit)
    time.seconds += 10
    assert [circuit.finish(ticket, Outcome.FAILED) for ticket in late] == [None] * 20
    assert circuit.retry_after_seconds == OPEN_SECONDS - 10


def test_a_success_that_began_before_it_opened_does_not_close_it(circuit: Circuit) -> None:
    late = admitted(circuit)
    trip(circuit)
    assert circuit.finish(late, Outcome.WELL) is None
    assert circuit.state is CircuitState.OPEN


def test_calls_that_began_before_it_closed_again_do_not_open_it(
    circuit: Circuit, time: Time
) -> None:
    late = [admitted(circuit) for _ in range(20)]
    ripen(circuit, time)
    end(circuit, Outcome.WELL)
    for ticket in late:
        assert circuit.finish(ticket, Outcome.FAILED) is None
    assert circuit.state is CircuitState.CLOSED


def test_when_its_time_has_come_one_call_goes_through(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    assert circuit.state is CircuitState.HALF_OPEN
    assert admitted(circuit).token
    assert [circuit.take(10) for _ in range(99)] == [None] * 99
    assert circuit.retry_after_seconds == 10


@pytest.mark.parametrize("outcome", [Outcome.WELL, Outcome.ANSWERED])
def test_a_probe_that_was_answered_closes_it(
    circuit: Circuit, time: Time, outcome: Outcome
) -> None:
    ripen(circuit, time)
    assert end(circuit, outcome) == [CircuitWord.PROBE_WELL]
    assert circuit.report().state is CircuitState.CLOSED
    assert circuit.report().failures == 0


def test_a_probe_that_fails_opens_it_for_as_long_again(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    assert end(circuit, Outcome.FAILED) == [CircuitWord.PROBE_FAILED]
    assert circuit.state is CircuitState.OPEN
    assert circuit.retry_after_seconds == OPEN_SECONDS
    assert circuit.opened == 1


def test_a_probe_that_was_cancelled_leaves_it_to_the_next_call(
    circuit: Circuit, time: Time
) -> None:
    ripen(circuit, time)
    assert end(circuit, Outcome.UNKNOWN) == [CircuitWord.PROBE_LEFT]
    assert circuit.state is CircuitState.HALF_OPEN
    assert admitted(circuit).token


def test_a_probe_that_overruns_its_time_is_not_waited_for(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    slow = admitted(circuit)
    time.seconds += 10
    second = admitted(circuit)
    assert circuit.finish(slow, Outcome.FAILED) is None
    assert circuit.finish(second, Outcome.WELL) is CircuitWord.PROBE_WELL


def test_a_probe_that_the_fleet_does_not_allow_is_put_off(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    circuit.put_off(admitted(circuit), 4)
    assert circuit.take(10) is None
    assert circuit.retry_after_seconds == 4
    time.seconds += 4
    assert admitted(circuit).token


def test_an_answer_that_begins_ends_the_probe(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    probe = admitted(circuit)
    token = probe.token
    assert circuit.answered() == (CircuitWord.PROBE_WELL, token)
    assert circuit.answered() is None
    assert not admitted(circuit).token
    # And what then breaks off in the middle counts as it would with anybody.
    assert circuit.finish(probe, Outcome.FAILED) is CircuitWord.FAILED
    assert circuit.report().failures == 1


def test_a_reset_closes_it_whatever_is_under_way(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    probe = admitted(circuit)
    circuit.reset()
    assert circuit.state is CircuitState.CLOSED
    assert circuit.finish(probe, Outcome.FAILED) is None
    assert circuit.report().failures == 0


def test_it_takes_over_what_the_fleet_knows(circuit: Circuit) -> None:
    circuit.hear(CircuitFacts("tool:x", failures=2, version=1))
    end(circuit, Outcome.FAILED)
    assert circuit.state is CircuitState.OPEN
    circuit.hear(CircuitFacts("tool:x", failures=5, open_seconds=12, version=2))
    assert circuit.retry_after_seconds == OPEN_SECONDS - 12
    circuit.hear(CircuitFacts("tool:x", failures=1, version=3))
    assert circuit.report().state is CircuitState.CLOSED
    assert circuit.facts() == CircuitFacts("tool:x", 1, None, 3)


def test_it_does_not_take_over_what_is_older(circuit: Circuit) -> None:
    circuit.hear(CircuitFacts("tool:x", version=7))
    circuit.hear(CircuitFacts("tool:x", failures=3, open_seconds=0, version=6))
    assert circuit.state is CircuitState.CLOSED


def test_news_of_the_fleet_let_it_ask_for_a_probe_again(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    circuit.put_off(admitted(circuit), 60)
    circuit.hear(CircuitFacts("tool:x", FAILURES, OPEN_SECONDS, version=1))
    assert admitted(circuit).token


def test_news_of_the_fleet_do_not_make_two_probes_of_one(circuit: Circuit, time: Time) -> None:
    ripen(circuit, time)
    admitted(circuit)
    circuit.hear(CircuitFacts("tool:x", FAILURES, OPEN_SECONDS, version=1))
    assert circuit.take(10) is None
