"""Log shards: what Redis adds to a token's way to a reader on another node, and what it costs."""

from array import array
from dataclasses import dataclass, field
from random import Random

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop
from scripts.simulate.figures import percentile
from scripts.simulate.redis_shard import RedisShard, Trip

# As app/infra/redis/log/flusher.py has it: what is more goes with the next trip.
CALLS_PER_TRIP = 500
WARM_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class LogLoad:
    """Who says how much.

    streams: conversations with an answer being said, spread over nodes and shards by chance.
    tokens_per_second: of each; the pauses vary by half.
    readers: nodes that read each conversation.
    seconds: how long is simulated; the first fifth is not counted.
    """

    streams: int
    nodes: int = 3
    shards: int = 1
    tokens_per_second: float = 30.0
    readers: int = 1
    seconds: float = 1.0


@dataclass(slots=True)
class LogOutcome:
    """What was measured after the first fifth.

    waits: seconds from a token's being said until the other node has it.
    busy: the busiest shard's share of its core.
    trips, calls, tokens: per second, over all shards.
    """

    waits: "array[float]" = field(default_factory=lambda: array("d"))
    busy: float = 0.0
    trips: float = 0.0
    calls: float = 0.0
    tokens: float = 0.0

    def wait_ms(self, share: float) -> float:
        """Return a percentile of the waits in milliseconds."""
        return 1000 * percentile(self.waits, share)


class _Flusher:
    """One node's appends to one shard: a trip is under way, and what waits goes with the next."""

    def __init__(self, world: "LogWorld", shard: RedisShard) -> None:
        self._world = world
        self._shard = shard
        self._waiting: dict[int, list[float]] = {}
        self._is_away = False

    def say(self, conversation: int) -> None:
        """Append a token now."""
        self._waiting.setdefault(conversation, []).append(self._world.loop.now)
        if not self._is_away:
            self._leave()

    def _leave(self) -> None:
        self._is_away = True
        some = list(self._waiting)[:CALLS_PER_TRIP]
        said = {conversation: self._waiting.pop(conversation) for conversation in some}
        costs = self._world.costs
        trip = Trip(said, lambda: self._return(said))
        way = costs.flush_seconds + costs.network_seconds
        self._world.loop.after(way, lambda: self._shard.arrive(trip))

    def _return(self, said: dict[int, list[float]]) -> None:
        self._world.count(said)
        self._is_away = False
        if self._waiting:
            self._leave()


class LogWorld:
    """Nodes that say tokens and shards that order them; made with a seed, and run once."""

    def __init__(self, load: LogLoad, costs: Costs, seed: int) -> None:
        self.loop = EventLoop()
        self.costs = costs
        self._load = load
        self._random = Random(seed)
        self._shards = [RedisShard(self.loop, costs, self._readers_of) for _ in range(load.shards)]
        self._flushers = [
            [_Flusher(self, shard) for shard in self._shards] for _ in range(load.nodes)
        ]
        self._outcome = LogOutcome()

    def run(self) -> LogOutcome:
        """Let the load go on for its seconds and return what it was like."""
        load = self._load
        for conversation in range(load.streams):
            flusher = self._random.choice(self._random.choice(self._flushers))
            self._speak(flusher, conversation)
        warm = WARM_SHARE * load.seconds
        self.loop.run(until=warm)
        self._outcome = LogOutcome()
        before = [shard.busy_seconds for shard in self._shards]
        self.loop.run(until=load.seconds)
        window = load.seconds - warm
        busy = (shard.busy_seconds - then for shard, then in zip(self._shards, before, strict=True))
        self._outcome.busy = max(busy) / window
        self._outcome.trips /= window
        self._outcome.calls /= window
        self._outcome.tokens /= window
        return self._outcome

    def count(self, said: dict[int, list[float]]) -> None:
        """Take down a trip that was answered."""
        outcome, now = self._outcome, self.loop.now
        outcome.trips += 1
        outcome.calls += len(said)
        for times in said.values():
            outcome.tokens += len(times)
            outcome.waits.extend(now - time for time in times)

    def _readers_of(self, conversation: int) -> tuple[int, ...]:
        """Return the nodes of its sockets: any, by no rule."""
        nodes = self._load.nodes
        return tuple((conversation + number) % nodes for number in range(self._load.readers))

    def _speak(self, flusher: _Flusher, conversation: int) -> None:
        pause = 1 / self._load.tokens_per_second

        def say() -> None:
            flusher.say(conversation)
            self.loop.after(pause * self._random.uniform(0.5, 1.5), say)

        self.loop.after(pause * self._random.random(), say)


def logged(load: LogLoad, costs: Costs, seed: int = 1) -> LogOutcome:
    """Return what a load on the log is like."""
    return LogWorld(load, costs, seed).run()
