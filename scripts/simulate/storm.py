"""Reconnect storms: the sockets of a dead node come back to the others."""

from dataclasses import dataclass, field, replace
from random import Random

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop, Server
from scripts.simulate.figures import peak_rate, percentile


@dataclass(frozen=True, slots=True)
class Storm:
    """What happens, and to whom.

    sockets: that the dead node had. nodes: that are left.
    busy: the share of each node's core that is used for other things.
    first_pause, last_pause: a client waits for a random time between them (docs/protocol.md).
    queries: of one subscription; more than the cost's own where snapshots have to be told.
    database_workers: queries that the database works on at the same time.
    hello_seconds: HELLO_TIMEOUT_SECONDS; a client whose hello is read later is sent away.
    """

    sockets: int
    nodes: int = 2
    busy: float = 0.3
    first_pause: float = 0.2
    last_pause: float = 5.0
    queries: float = 1.0
    database_workers: int = 2
    query_seconds: float = 0.2e-3
    hello_seconds: float = 5.0


@dataclass(slots=True)
class StormOutcome:
    """When, counted from the death, each client was back, and what it cost.

    sent_away: clients whose hello was read too late.
    peak_busy: the share of a core that the busiest node wanted in its busiest second.
    peak_queries: a second, in the busiest second.
    """

    back: list[float] = field(default_factory=list)
    sent_away: int = 0
    peak_busy: float = 0.0
    peak_queries: float = 0.0

    def back_within(self, share: float) -> float:
        """Return when so many of those who came back were back."""
        return percentile(self.back, share)


class StormWorld:
    """The clients, the nodes that are left and the database; made with a seed, and run once."""

    def __init__(self, storm: Storm, costs: Costs, seed: int) -> None:
        self._storm = storm
        self._random = Random(seed)
        self._loop = EventLoop()
        # What a node does beside leaves it only a part of its core for this.
        slower = 1 / (1 - storm.busy)
        self._handshake = costs.handshake_seconds * slower
        self._subscribe = costs.subscribe_seconds * slower
        self._way = 2 * costs.network_seconds
        self._nodes = [Server(self._loop) for _ in range(storm.nodes)]
        self._database = Server(self._loop, storm.database_workers)
        self._work: list[list[float]] = [[] for _ in self._nodes]
        self._queries: list[float] = []
        self.outcome = StormOutcome()

    def run(self) -> StormOutcome:
        """Let all come back and return how it went."""
        storm = self._storm
        for _ in range(storm.sockets):
            pause = self._random.uniform(storm.first_pause, storm.last_pause)
            self._loop.at(pause, self._connect)
        self._loop.run()
        each = (self._handshake + self._subscribe) * (1 - storm.busy)
        peak = max((peak_rate(arrivals) for arrivals in self._work), default=0.0)
        self.outcome.peak_busy = storm.busy + peak * each
        self.outcome.peak_queries = peak_rate(self._queries)
        return self.outcome

    def _connect(self) -> None:
        number = self._random.randrange(len(self._nodes))
        self._work[number].append(self._loop.now)
        accepted = self._nodes[number].serve(self._handshake)
        self._loop.at(accepted + self._way, lambda: self._say_hello(number, accepted))

    def _say_hello(self, number: int, accepted: float) -> None:
        ready = self._nodes[number].serve(self._subscribe)
        if ready - accepted > self._storm.hello_seconds:
            self.outcome.sent_away += 1
        else:
            self._loop.at(ready, self._look_up)

    def _look_up(self) -> None:
        seconds = 0.0
        for _ in range(round(self._storm.queries)):
            self._queries.append(self._loop.now)
            seconds += self._storm.query_seconds
        self._loop.at(self._database.serve(seconds), self._arrive)

    def _arrive(self) -> None:
        self.outcome.back.append(self._loop.now + self._way)


def stormed(storm: Storm, costs: Costs, seed: int = 1) -> StormOutcome:
    """Return how the clients of a dead node came back."""
    return StormWorld(storm, costs, seed).run()


def all_at_once(storm: Storm) -> Storm:
    """Return the same storm with clients that do not spread their return."""
    return replace(storm, last_pause=storm.first_pause)
