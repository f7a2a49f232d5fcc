"""Lays out what is not simulated: the costs, what a fleet needs, and how a real run compares."""

from collections.abc import Callable, Iterable
from dataclasses import fields

from scripts.simulate.costs import MIB, Costs, sources
from scripts.simulate.figures import table
from scripts.simulate.fleet import GB, Fleet, People, sized
from scripts.simulate.real_run import Comparison


def costs_table(costs: Costs) -> str:
    """Return all costs, with where each comes from."""
    known = sources()

    def row(name: str) -> list[str | float]:
        return [name, _quantity(name, getattr(costs, name)), known[name].kind, known[name].how]

    head = ("cost", "value", "", "how")
    return table("Costs", head, [row(one.name) for one in fields(Costs)])


def people_table(counts: Iterable[int], costs: Costs) -> str:
    """Return what fleets for so many people need, side by side."""
    fleets = [sized(People(count), costs) for count in counts]
    head = ("people connected", *(f"{count:,}" for count in counts))
    lines: list[list[str | float]] = [
        [name, *(read(fleet) for fleet in fleets)] for name, read in _FLEET_ROWS
    ]
    return table("A fleet, by its measured costs and the assumptions of `People`", head, lines)


def comparison_table(comparisons: Iterable[Comparison]) -> str:
    """Return whether a real run is what the simulation says."""
    rows = [
        [each.name, each.measured, each.low, each.high, "within" if each.is_within else "OUTSIDE"]
        for each in comparisons
    ]
    head = ("pause s", "measured", "simulated 5 %", "95 %", "")
    return table("A real run beside simulated ones of its size", head, rows)


def _quantity(name: str, value: float) -> str:
    if name.endswith("_seconds"):
        return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"
    if name.endswith("_bytes"):
        return f"{value / MIB:.3g} MiB" if value >= MIB else f"{value:,.0f} B"
    return f"{value:g}"


_FLEET_ROWS: tuple[tuple[str, Callable[[Fleet], str | float]], ...] = (
    ("turns/s", lambda one: one.demand.turns),
    ("answers being said", lambda one: round(one.demand.streams)),
    ("tokens/s", lambda one: one.demand.tokens),
    ("cores for tokens", lambda one: one.node_cores["tokens"]),
    ("cores for turns", lambda one: one.node_cores["turns"]),
    ("cores for silent sockets", lambda one: one.node_cores["sockets"]),
    ("nodes, one core each, 60 % busy", lambda one: one.nodes),
    ("memory of a node, MiB", lambda one: round(one.node_bytes / MIB)),
    ("Redis shards", lambda one: one.shards),
    ("a turn of a shard, ms", lambda one: 1000 * one.wait_seconds),
    ("log in Redis, GB", lambda one: one.log_bytes / GB),
    ("Postgres commits/s", lambda one: round(one.commits)),
    ("cores of Postgres", lambda one: one.postgres_cores),
    ("write-ahead log, MB/s", lambda one: one.wal_bytes / 1e6),
    ("  of it for leases", lambda one: one.lease_wal_bytes / 1e6),
    ("Postgres servers, 10,000 commits/s", lambda one: one.postgres_servers),
    ("connections to it", lambda one: one.connections),
    ("rows a day, GB", lambda one: one.row_bytes_per_day / GB),
    ("a partition spans", lambda one: one.partition),
    ("checkpoints of a day, GB", lambda one: one.checkpoint_bytes_per_day / GB),
)
