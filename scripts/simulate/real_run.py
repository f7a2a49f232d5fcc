"""Compares the simulated pauses with those of a real run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from scripts.simulate.costs import Costs
from scripts.simulate.figures import percentile
from scripts.simulate.leases import LeaseSettings, killed

REPETITIONS = 200
SETTINGS = ("lease_seconds", "beat_seconds", "scan_seconds")
SHARES = {"p50": 0.50, "p95": 0.95}


@dataclass(frozen=True, slots=True)
class RealRun:
    """What was recorded: how long runs that lost their node said nothing, and the settings.

    pauses_seconds: of each run, from its last event before the kill to its first after it.
    nodes: before the kill; one that is back before the leases run out counts twice.
    runs_per_kill: how many runs a killed node had, on average.
    first_text_seconds: what the pauses have beyond the first event, where they last until text.
    """

    pauses_seconds: tuple[float, ...]
    settings: LeaseSettings
    nodes: int = 3
    runs_per_kill: float = 3.0
    first_text_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of the real run, and where 90 % of the simulated runs have it."""

    name: str
    measured: float
    low: float
    high: float

    @property
    def is_within(self) -> bool:
        """Whether the simulation says the same as the real run."""
        return self.low <= self.measured <= self.high


class BadRecord(ValueError):
    """A file is not a record of pauses; the message says why."""


def read_record(path: Path) -> RealRun:
    """Return what a file says. Raises `BadRecord`.

    It is one JSON object: `pauses_seconds`, a list; `lease_seconds`, `beat_seconds` and
    `scan_seconds`, as the cluster was set; and where it differs, what else a `RealRun` has. Other
    keys are left alone.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        pauses = tuple(float(pause) for pause in found["pauses_seconds"])
        settings = LeaseSettings(
            **{
                name: float(found[name])
                for name in ("lease_seconds", "beat_seconds", "scan_seconds")
            }
        )
        run = RealRun(
            pauses,
            settings,
            int(found.get("nodes", 3)),
            float(found.get("runs_per_kill", 3)),
            float(found.get("first_text_seconds", 0)),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRecord(f"{path} is no record of pauses: {error!r}") from None
    if not pauses or run.nodes < 2 or run.runs_per_kill < 1:
        raise BadRecord(f"{path} needs at least one pause, two nodes and one run per kill")
    return run


def compared(run: RealRun, costs: Costs, seed: int = 1) -> list[Comparison]:
    """Return where the real run's percentiles lie among those of simulated runs of its size."""
    simulated = list(_repeated(run, costs, seed))
    return [
        Comparison(
            name,
            percentile(run.pauses_seconds, share),
            percentile((percentile(each, share) for each in simulated), 0.05),
            percentile((percentile(each, share) for each in simulated), 0.95),
        )
        for name, share in SHARES.items()
    ]


def _repeated(run: RealRun, costs: Costs, seed: int) -> Iterator[list[float]]:
    """Yield the pauses of one simulated run after another, as many as were recorded."""
    per_kill = round(run.runs_per_kill)
    kills = ceil(len(run.pauses_seconds) / per_kill)
    for repetition in range(REPETITIONS):
        pauses: list[float] = []
        for kill in range(kills):
            outcome = killed(
                seed + repetition * kills + kill,
                run.settings,
                costs,
                nodes=run.nodes,
                runs_per_node=per_kill,
            )
            pauses += (pause + run.first_text_seconds for pause in outcome.resumed)
        yield pauses[: len(run.pauses_seconds)]
