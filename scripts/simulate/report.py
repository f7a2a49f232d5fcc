"""Runs each scenario at a few sizes and lays it out as a table."""

from collections.abc import Callable
from math import ceil

from scripts.simulate.costs import MIB, Costs
from scripts.simulate.figures import percentile, table
from scripts.simulate.leases import Fault, LeaseSettings, killed, stalled
from scripts.simulate.overload import Rush, rushed
from scripts.simulate.shards import LogLoad, logged
from scripts.simulate.storm import Storm, all_at_once, stormed

KILLS = 100
STALLS = 50

Scenario = Callable[[Costs, int], str]


def leases(costs: Costs, seed: int) -> str:
    """Return how soon runs go on after a kill, what stalls do, and what the database is asked."""
    settings = LeaseSettings()
    return "\n".join(
        [_kills(settings, costs, seed), _stalls(settings, costs, seed), _choices(costs, seed)]
    )


def _kills(settings: LeaseSettings, costs: Costs, seed: int) -> str:
    def row(nodes: int, runs: int) -> list[str | float]:
        found, resumed = [], []
        # As many runs each time, however many a node has.
        for kill in range(max(5, ceil(8 * KILLS / max(8, runs)))):
            outcome = killed(seed + kill, settings, costs, nodes=nodes, runs_per_node=runs)
            found += outcome.detected
            resumed += outcome.resumed
        shares = [percentile(resumed, share) for share in (0.50, 0.95, 1.0)]
        return [f"{nodes} nodes, {runs} runs each", percentile(found, 0.50), *shares]

    sizes = ((2, 8), (3, 8), (10, 8), (30, 8), (3, 100), (3, 500), (10, 500))
    head = ("a node is killed", "taken s p50", "goes on s p50", "p95", "max")
    title = (
        f"Leases: {settings.lease_seconds:g} s, renewed every {settings.beat_seconds:g} s, "
        f"looked for every {settings.scan_seconds:g} s ± {settings.scan_jitter:.0%}"
    )
    return table(title, head, [row(*size) for size in sizes])


def _stalls(settings: LeaseSettings, costs: Costs, seed: int) -> str:
    def lost(fault: Fault) -> str:
        shares = [stalled(seed + number, settings, costs, fault) for number in range(STALLS)]
        return f"{100 * sum(shares) / STALLS:.0f} %"

    rows: list[list[str | float]] = []
    for seconds in (1.0, 2.0, 2.5, 3.0, 3.5, 5.0, 10.0, 29.0, 40.0):
        faults = (
            Fault(0, loop_seconds=seconds),
            Fault(0, node_seconds=seconds),
            Fault(0, database_seconds=seconds),
        )
        rows.append([f"{seconds:g} s", *map(lost, faults)])
    head = ("stands still for", "event loop", "whole process", "database")
    return table("Leases: runs that living nodes lose by a stall", head, rows)


def _choices(costs: Costs, seed: int) -> str:
    def row(lease: float, beat: float, scan: float) -> list[str | float]:
        settings = LeaseSettings(lease, beat, scan)
        pauses: list[float] = []
        for kill in range(KILLS):
            pauses += killed(seed + kill, settings, costs).resumed
        shares = [percentile(pauses, share) for share in (0.50, 0.95, 1.0)]
        return [f"{lease:g} s, {beat:g} s, {scan:g} s", *shares, settings.harmless_seconds]

    choices = ((2, 0.5, 0.5), (4, 1, 0.5), (8, 2, 1), (15, 3, 1), (30, 5, 2))
    head = ("lease, beat, scan", "goes on s p50", "p95", "max", "harmless stall s")
    return table("Leases: what other settings buy", head, [row(*choice) for choice in choices])


def shards(costs: Costs, seed: int) -> str:
    """Return what the log adds to a token's way, by streams, by nodes and by shards."""
    loads = [
        *(LogLoad(streams) for streams in (200, 500, 1000, 2000, 3000, 4000)),
        *(LogLoad(500, nodes=nodes) for nodes in (10, 30, 100, 300)),
        *(LogLoad(2000, nodes=30, shards=count) for count in (1, 2, 4, 8)),
    ]

    def row(load: LogLoad) -> list[str | float]:
        outcome = logged(load, costs, seed)
        return [
            f"{load.streams:,}",
            load.nodes,
            load.shards,
            round(outcome.tokens),
            outcome.wait_ms(0.50),
            outcome.wait_ms(0.99),
            round(100 * outcome.busy),
            round(outcome.trips),
            outcome.calls / outcome.trips,
            outcome.tokens / outcome.calls,
        ]

    head = (
        "streams of 30/s",
        "nodes",
        "shards",
        "tokens/s",
        "added ms p50",
        "p99",
        "busiest shard %",
    )
    more = ("trips/s", "calls/trip", "tokens/call")
    return table("Log shards: Redis between two nodes", (*head, *more), map(row, loads))


def storms(costs: Costs, seed: int) -> str:
    """Return how soon the sockets of a dead node are back, and what that costs the others."""
    sizes = [(500, 2), (2_000, 2), (6_000, 2), (10_000, 2), (20_000, 2), (10_000, 10)]
    named = [(f"{sockets:,} to {nodes} nodes", Storm(sockets, nodes)) for sockets, nodes in sizes]
    named += [
        (f"{name}, without jitter", all_at_once(storm))
        for name, storm in (named[0], named[4], named[5])
    ]

    def row(name: str, storm: Storm) -> list[str | float]:
        outcome = stormed(storm, costs, seed)
        return [
            name,
            outcome.back_within(0.95),
            outcome.back_within(1.0),
            round(100 * outcome.peak_busy),
            round(outcome.peak_queries),
            outcome.sent_away,
        ]

    head = ("sockets of a dead node", "95 % back s", "100 %", "busiest core wants %")
    more = ("queries/s at most", "sent away")
    title = "Reconnect storms: full jitter 0.2 to 5 s, nodes 30 % busy before"
    return table(title, (*head, *more), [row(*each) for each in named])


def overload(costs: Costs, seed: int) -> str:
    """Return what becomes of messages when more come than can be answered."""

    def row(rate: float) -> list[str | float]:
        rush = Rush(rate)
        outcome = rushed(rush, costs, seed)
        return [
            f"{rate:g}/s, {rate * rush.run_seconds / rush.slots:.0%} of the slots",
            outcome.came,
            outcome.admitted,
            outcome.gave_up,
            outcome.refusals,
            percentile(outcome.waits, 0.50),
            percentile(outcome.waits, 0.95),
            outcome.most_at_work,
            outcome.most_queued,
            round(outcome.bytes_at_work / MIB),
        ]

    head = ("messages", "came", "admitted", "gave up", "`busy`", "waits s p50", "p95")
    more = ("at work", "queued", "MiB of runs")
    title = "Overload: two minutes, 300 slots, a queue of 100, answers of 10 s, five tries"
    return table(title, (*head, *more), map(row, (20.0, 30.0, 35.0, 45.0, 60.0, 120.0)))


SCENARIOS: dict[str, Scenario] = {
    "leases": leases,
    "shards": shards,
    "storms": storms,
    "overload": overload,
}
