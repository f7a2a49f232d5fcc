"""A Redis server as the log uses it: a loop that takes what has come and answers all of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop

# A shard that is busy for no more than this has hardly a queue.
SPARE_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Trip:
    """What one node appends in one go.

    said: by conversation, when each of its tokens was said. answered: called when the node has
        the reply; what the trip published is at its readers then.
    """

    said: Mapping[int, list[float]]
    answered: Callable[[], None]


class RedisShard:
    """Serves trips in turns: what comes during a turn is served in the next.

    readers_of: the nodes that read a conversation. busy_seconds: how long it has worked.
    """

    def __init__(
        self, loop: EventLoop, costs: Costs, readers_of: Callable[[int], tuple[int, ...]]
    ) -> None:
        self._loop = loop
        self._costs = costs
        self._readers_of = readers_of
        self._arrived: list[Trip] = []
        self._is_busy = False
        self.busy_seconds = 0.0

    def arrive(self, trip: Trip) -> None:
        """Take a trip that has come over the network."""
        self._arrived.append(trip)
        if not self._is_busy:
            self._turn()

    def _turn(self) -> None:
        trips, self._arrived = self._arrived, []
        self._is_busy = True
        seconds = self._seconds(trips)
        self.busy_seconds += seconds
        self._loop.after(seconds, lambda: self._answer(trips))

    def _answer(self, trips: list[Trip]) -> None:
        # Replies, and what was published, leave at the end of the turn.
        for trip in trips:
            self._loop.after(self._costs.network_seconds, trip.answered)
        self._is_busy = False
        if self._arrived:
            self._turn()

    def _seconds(self, trips: list[Trip]) -> float:
        costs = self._costs
        seconds = costs.redis_turn_seconds + len(trips) * costs.redis_trip_seconds
        written: set[int] = set()
        for trip in trips:
            for conversation, said in trip.said.items():
                readers = self._readers_of(conversation)
                written.update(readers)
                seconds += costs.redis_call_seconds
                seconds += (len(said) - 1) * costs.redis_event_seconds
                seconds += (len(readers) - 1) * costs.redis_reader_seconds
        return seconds + len(written) * costs.redis_write_seconds


def turn_seconds(tokens_per_second: float, nodes: int, costs: Costs) -> float:
    """Return about how long a shard's turn is, without simulating it; inf where it can't keep up.

    Each node has one trip under way, so that a turn has no more trips than there are nodes; what
    waits meanwhile makes them longer.
    """
    node = costs.redis_trip_seconds + costs.redis_write_seconds
    left = 1 - tokens_per_second * (costs.redis_call_seconds + node)
    if left > 0:
        seconds = costs.redis_turn_seconds / left
        if tokens_per_second * seconds <= nodes:
            return seconds
    left = 1 - tokens_per_second * costs.redis_call_seconds
    return (costs.redis_turn_seconds + nodes * node) / left if left > 0 else inf
