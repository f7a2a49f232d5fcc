"""Leases: how soon a dead node's runs go on, and when a living node loses its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from random import Random

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop, Server

NODES = 3
RUNS = 8
# As app/infra/sql/leases.py has them.
LOOP_SECONDS = 30.0
MARGIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """The settings of the same names; `scan_jitter` is the runner's."""

    lease_seconds: float = 4.0
    beat_seconds: float = 1.0
    scan_seconds: float = 0.5
    scan_jitter: float = 0.2

    @property
    def trusted_seconds(self) -> float:
        """How long after a renewal was asked for a node is sure of its runs."""
        return self.lease_seconds - min(MARGIN_SECONDS, self.lease_seconds / 4)

    @property
    def harmless_seconds(self) -> float:
        """The longest stall, of the database or of a whole process, that costs no run."""
        return self.trusted_seconds - self.beat_seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at `at`, and for how long.

    node_seconds: the first node stands still, its thread of beats too; inf: it was killed.
    loop_seconds: the first node's event loop does, but not its thread of beats.
    database_seconds: the database answers nobody.
    """

    at: float
    node_seconds: float = 0.0
    loop_seconds: float = 0.0
    database_seconds: float = 0.0


@dataclass(slots=True)
class LeaseOutcome:
    """What became of the runs.

    detected: seconds from the fault until another node has the run, for each that was taken.
    resumed: the same until it says something.
    given_up: runs that a living node stopped because it could not renew them in time.
    """

    detected: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    given_up: int = 0


@dataclass(slots=True)
class _Node:
    """lease_until: of all its runs, because one statement renews them together.

    asked_at: when the last renewal that was answered was asked for.
    """

    runs: int
    lease_until: float
    asked_at: float
    processor: Server


class LeaseWorld:
    """Nodes that renew their leases and look for those of others, on one database.

    It is made with a seed and run once. The first node is the one that the fault hits.
    """

    def __init__(
        self,
        settings: LeaseSettings,
        costs: Costs,
        fault: Fault,
        random: Random,
        *,
        nodes: int = NODES,
        runs_per_node: int = RUNS,
    ) -> None:
        self._settings = settings
        self._costs = costs
        self._fault = fault
        self._random = random
        self._loop = EventLoop()
        lease = settings.lease_seconds
        self._nodes = [_Node(runs_per_node, lease, 0.0, Server(self._loop)) for _ in range(nodes)]
        self.outcome = LeaseOutcome()

    def run(self, seconds: float) -> LeaseOutcome:
        """Let so many seconds pass and return what happened."""
        for number in range(len(self._nodes)):
            self._begin(self._random.uniform(0, self._settings.beat_seconds), number, self._beat)
            self._begin(self._random.uniform(0, self._settings.scan_seconds), number, self._scan)
            self._begin(self._settings.beat_seconds / 2, number, self._watch)
        self._loop.run(until=seconds)
        return self.outcome

    def _begin(self, pause: float, number: int, work: Callable[[int], None]) -> None:
        """Let a node do something after a pause, or when it moves again."""

        def due() -> None:
            is_thread = work == self._beat
            wakes_at = self._wakes_at(number, is_thread=is_thread)
            if wakes_at <= self._loop.now:
                work(number)
            elif wakes_at < inf:
                self._loop.at(wakes_at, lambda: work(number))

        self._loop.after(pause, due)

    def _wakes_at(self, number: int, *, is_thread: bool) -> float:
        """Return when a node does something next: now, unless the fault is with it."""
        fault, now = self._fault, self._loop.now
        if number != 0 or now < fault.at:
            return now
        ends_at = fault.at + fault.node_seconds
        # The thread of beats gives up on a loop that stands still for too long.
        is_given_up = now - fault.at >= LOOP_SECONDS
        if not is_thread or is_given_up:
            ends_at = max(ends_at, fault.at + fault.loop_seconds)
        return max(now, ends_at)

    def _ask(self, effect: Callable[[], None]) -> None:
        """Run a statement: at its time in the database, which may stand still."""
        fault, now = self._fault, self._loop.now
        begin = now
        if fault.at <= now < fault.at + fault.database_seconds:
            begin = fault.at + fault.database_seconds
        mean = self._costs.statement_wait_seconds
        wait = self._random.expovariate(1 / mean) if mean else 0.0
        self._loop.at(begin + self._costs.statement_seconds + wait, effect)

    def _beat(self, number: int) -> None:
        asked_at = self._loop.now

        def renew() -> None:
            node = self._nodes[number]
            node.lease_until = self._loop.now + self._settings.lease_seconds
            node.asked_at = asked_at
            next_at = asked_at + self._settings.beat_seconds
            self._begin(next_at - self._loop.now, number, self._beat)

        self._ask(renew)

    def _watch(self, number: int) -> None:
        """End the runs of a node that can't be sure any more that they are its own."""
        node = self._nodes[number]
        if self._loop.now - node.asked_at >= self._settings.trusted_seconds:
            self.outcome.given_up += node.runs
            node.runs = 0
        self._begin(self._settings.beat_seconds / 2, number, self._watch)

    def _scan(self, number: int) -> None:
        def claim() -> None:
            loser = next(self._expired(number), None)
            if loser is not None:
                self._take(loser, self._nodes[number])
                self._begin(0.0, number, self._scan)
                return
            jitter = self._settings.scan_jitter
            pause = self._settings.scan_seconds * self._random.uniform(1 - jitter, 1 + jitter)
            self._begin(pause, number, self._scan)

        self._ask(claim)

    def _expired(self, number: int) -> Iterator[_Node]:
        for other, node in enumerate(self._nodes):
            if other != number and node.runs and node.lease_until < self._loop.now:
                yield node

    def _take(self, loser: _Node, winner: _Node) -> None:
        loser.runs -= 1
        since = self._loop.now - self._fault.at
        self.outcome.detected.append(since)
        # What it needs of the node's core queues there; the rest is waiting for others.
        ready = winner.processor.serve(self._costs.takeover_cpu_seconds)
        waits = self._costs.takeover_wait_seconds
        self.outcome.resumed.append(ready - self._fault.at + waits)
        if self._fault.node_seconds == inf and not self._nodes[0].runs:
            # Nothing more can happen to those of the dead node.
            self._loop.stop()


def killed(
    seed: int, settings: LeaseSettings, costs: Costs, *, nodes: int = NODES, runs_per_node: int = 8
) -> LeaseOutcome:
    """Kill one node at a random moment and return when its runs went on."""
    random = Random(seed)
    at = settings.lease_seconds + random.uniform(0, settings.beat_seconds)
    fault = Fault(at, node_seconds=inf)
    world = LeaseWorld(settings, costs, fault, random, nodes=nodes, runs_per_node=runs_per_node)
    return world.run(at + settings.lease_seconds + 4 * settings.scan_seconds + 20)


def stalled(seed: int, settings: LeaseSettings, costs: Costs, fault: Fault) -> float:
    """Return the share of the runs concerned that living nodes lost by a stall.

    fault: its time counts from a random moment. Where the first of three nodes stands still, its
        own runs are concerned; where the database does, all are.
    """
    random = Random(seed)
    moment = settings.lease_seconds + random.uniform(0, settings.beat_seconds)
    fault = replace(fault, at=fault.at + moment)
    world = LeaseWorld(settings, costs, fault, random)
    stall = fault.node_seconds + fault.loop_seconds + fault.database_seconds
    outcome = world.run(fault.at + stall + settings.lease_seconds)
    concerned = NODES * RUNS if fault.database_seconds else RUNS
    return (len(outcome.detected) + outcome.given_up) / concerned
