"""What Prometheus is told."""

from collections.abc import Mapping, Sequence

import pytest

from app.infra.telemetry.metrics import Metrics
from app.infra.telemetry.run_states import RunStates
from core.errors import StorageUnavailable
from core.ports.meters import Meters, NoMeters
from core.ports.run_census import LiveRun, LiveStatus
from core.principal import Principal
from core.runs import RunStatus
from tests.support.prometheus import numbers_of


async def test_what_happens_to_runs_is_counted() -> None:
    metrics = Metrics()
    metrics.run_started(is_takeover=False)
    metrics.run_started(is_takeover=True)
    metrics.run_ended(RunStatus.DONE, 3.0)
    metrics.run_ended(RunStatus.ERROR, 30.0)
    metrics.fenced()
    metrics.log_restarted()
    metrics.append_took(0.0004)

    told = await numbers_of(metrics)

    assert told["colloquy_runs_started_total"] == 2
    assert told["colloquy_run_takeovers_total"] == 1
    assert told["colloquy_runs_ended_total{status=done}"] == 1
    assert told["colloquy_runs_ended_total{status=error}"] == 1
    assert told["colloquy_runs_ended_total{status=cancelled}"] == 0
    assert told["colloquy_run_seconds_sum"] == 33
    assert told["colloquy_run_seconds_bucket{le=5.0}"] == 1
    assert told["colloquy_fenced_writes_total"] == 1
    assert told["colloquy_log_restarts_total"] == 1
    assert told["colloquy_append_seconds_bucket{le=0.0005}"] == 1


async def test_numbers_kept_elsewhere_are_looked_up_when_somebody_asks() -> None:
    metrics, sockets, lost = Metrics(), [3], [0]
    metrics.readings.gauge("colloquy_sockets", "Sockets.", lambda: sockets[0])
    metrics.readings.gauges("colloquy_runs", "Runs.", "state", lambda: {"queued": 2, "running": 1})
    metrics.readings.counter("colloquy_lost_total", "Lost.", lambda: lost[0])
    sockets[0], lost[0] = 4, 9

    told = await numbers_of(metrics)

    assert told["colloquy_sockets"] == 4
    assert told["colloquy_runs{state=queued}"] == 2
    assert told["colloquy_runs{state=running}"] == 1
    assert told["colloquy_lost_total"] == 9


async def test_two_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.fenced()

    assert (await numbers_of(one))["colloquy_fenced_writes_total"] == 1
    assert (await numbers_of(other))["colloquy_fenced_writes_total"] == 0


async def test_the_process_and_its_garbage_are_told() -> None:
    told = await numbers_of(Metrics())

    assert told["process_resident_memory_bytes"] > 0
    assert "python_gc_collections_total{generation=0}" in told


async def test_what_cannot_be_read_is_left_out() -> None:
    def broken() -> float:
        raise ZeroDivisionError

    async def failing() -> None:
        raise StorageUnavailable("The database can't be reached.")

    async def buggy() -> None:
        raise ZeroDivisionError

    metrics = Metrics()
    metrics.readings.gauge("colloquy_broken", "Broken.", broken)
    metrics.readings.gauge("colloquy_whole", "Whole.", lambda: 1)
    metrics.sample(failing)
    metrics.sample(buggy)

    told = await numbers_of(metrics)

    assert "colloquy_broken" not in told
    assert told["colloquy_whole"] == 1


def test_those_who_count_nothing_have_the_same_calls() -> None:
    meters: Sequence[Meters] = (Metrics(), NoMeters())
    for each in meters:
        each.run_started(is_takeover=True)
        each.run_ended(RunStatus.CANCELLED, 1.0)
        each.append_took(0.1)
        each.fenced()
        each.log_restarted()


class ScriptedCensus:
    """See `RunCensus`; says what it is told to, or fails, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: Mapping[LiveStatus, int] | None = {"queued": 1}
        self.asked = 0

    async def counts(self) -> Mapping[LiveStatus, int]:
        self.asked += 1
        if self.answer is None:
            raise StorageUnavailable("The database can't be reached.")
        return self.answer

    async def live(self, principal: Principal, limit: int) -> Sequence[LiveRun]:
        return []


async def test_the_census_is_not_asked_again_too_soon() -> None:
    census = ScriptedCensus()
    states = RunStates(census, keep_seconds=60)
    await states.look()
    census.answer = {"queued": 2}
    await states.look()

    assert states.counts() == {"queued": 1}
    assert census.asked == 1


async def test_a_census_that_fails_leaves_no_old_numbers() -> None:
    census = ScriptedCensus()
    states = RunStates(census, keep_seconds=0)
    await states.look()
    census.answer = None
    with pytest.raises(StorageUnavailable):
        await states.look()

    assert states.counts() == {}
