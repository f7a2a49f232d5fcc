"""Dead nodes are found in time, and living ones keep their runs where the design says so."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.simulate.costs import Costs
from scripts.simulate.leases import LOOP_SECONDS, RUNS, Fault, LeaseSettings, killed, stalled

# A database that answers at once, and takeovers that cost nothing: what is left are the rules.
INSTANT = replace(
    Costs(),
    statement_seconds=0.0,
    statement_wait_seconds=0.0,
    takeover_cpu_seconds=0.0,
    takeover_wait_seconds=0.0,
)
SEEDS = st.integers(0, 10_000)
SETTINGS = st.builds(
    LeaseSettings,
    lease_seconds=st.floats(2, 30),
    beat_seconds=st.floats(0.1, 1),
    scan_seconds=st.floats(0.05, 2),
)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, chosen=SETTINGS, nodes=st.integers(2, 6), runs=st.integers(1, 20))
def test_every_run_of_a_killed_node_is_taken_within_the_bounds_of_the_settings(
    seed: int, chosen: LeaseSettings, nodes: int, runs: int
) -> None:
    outcome = killed(seed, chosen, INSTANT, nodes=nodes, runs_per_node=runs)
    assert len(outcome.detected) == runs
    assert outcome.given_up == 0
    soonest = chosen.lease_seconds - chosen.beat_seconds
    latest = chosen.lease_seconds + chosen.scan_seconds * (1 + chosen.scan_jitter)
    assert min(outcome.detected) >= soonest - 1e-9
    assert max(outcome.detected) <= latest + 1e-9


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_run_goes_on_only_after_it_was_taken(seed: int) -> None:
    outcome = killed(seed, LeaseSettings(), Costs())
    assert all(
        resumed > detected
        for resumed, detected in zip(outcome.resumed, outcome.detected, strict=True)
    )


def test_the_same_seed_gives_the_same_pauses() -> None:
    first, again, other = (killed(seed, LeaseSettings(), Costs()) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_the_runs_of_a_large_node_wait_for_each_other() -> None:
    small, large = (killed(1, LeaseSettings(), Costs(), runs_per_node=runs) for runs in (8, 400))
    assert max(large.resumed) > max(small.resumed)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, chosen=SETTINGS, share=st.floats(0.1, 0.99))
def test_a_stall_that_is_called_harmless_costs_no_run(
    seed: int, chosen: LeaseSettings, share: float
) -> None:
    seconds = share * chosen.harmless_seconds
    for fault in (Fault(0, node_seconds=seconds), Fault(0, database_seconds=seconds)):
        assert stalled(seed, chosen, INSTANT, fault) == 0


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, chosen=SETTINGS)
def test_a_process_that_stands_still_for_longer_than_its_leases_loses_every_run(
    seed: int, chosen: LeaseSettings
) -> None:
    latest = chosen.lease_seconds + 1.2 * chosen.scan_seconds
    assert stalled(seed, chosen, INSTANT, Fault(0, node_seconds=latest + 0.1)) == 1


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, seconds=st.floats(0.1, LOOP_SECONDS))
def test_a_blocked_event_loop_costs_no_run_until_it_is_taken_for_dead(
    seed: int, seconds: float
) -> None:
    assert stalled(seed, LeaseSettings(), Costs(), Fault(0, loop_seconds=seconds)) == 0


def test_an_event_loop_that_is_blocked_for_good_loses_its_runs() -> None:
    outcome = stalled(1, LeaseSettings(), Costs(), Fault(0, loop_seconds=LOOP_SECONDS + 10))
    assert outcome == 1
    assert RUNS > 1
