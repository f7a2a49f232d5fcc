"""What so many connected people need, worked out from the costs of one of each thing."""

from dataclasses import dataclass
from math import ceil

from scripts.simulate.costs import Costs
from scripts.simulate.redis_shard import SPARE_SHARE, turn_seconds

GB = 1e9
# No table, and no part of one, should be larger: an index of it stays in memory.
PARTITION_BYTES = 200 * GB
SPANS = (("none in a year", 365.0), ("month", 30.0), ("week", 7.0), ("day", 1.0))


@dataclass(frozen=True, slots=True)
class People:
    """How people use it; all of these are assumptions.

    turns_per_hour: of a connected person, on average; the busiest moment has `peak` times that.
    answer_tokens, tokens_per_second, first_token_seconds: of an answer.
    hours_per_day: at the average rate.
    core_share: how full a node's core may be. wait_seconds: the longest turn of a shard.
    commits_per_second: what one Postgres server may be asked for.
    """

    count: int
    turns_per_hour: float = 6.0
    peak: float = 2.0
    answer_tokens: float = 300.0
    tokens_per_second: float = 30.0
    first_token_seconds: float = 1.0
    hours_per_day: float = 8.0
    core_share: float = 0.6
    wait_seconds: float = 5e-3
    commits_per_second: float = 10_000.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of everything together in the busiest moment, by the second.

    streams: answers that are being said. turns_per_day: on average.
    """

    streams: float
    turns: float
    tokens: float
    turns_per_day: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """What serves it. One node is one process on one core.

    node_cores: what the nodes' work needs of cores, by what asks for it.
    wait_seconds: how long a shard's turn takes. log_bytes: what is in all shards' memory.
    partition: how long a time one part of the tables may span. wal_bytes: a second;
    lease_wal_bytes: those of them that only renew leases.
    """

    demand: Demand
    node_cores: dict[str, float]
    nodes: int
    node_bytes: float
    shards: int
    wait_seconds: float
    log_bytes: float
    commits: float
    postgres_cores: float
    wal_bytes: float
    lease_wal_bytes: float
    postgres_servers: int
    connections: int
    row_bytes_per_day: float
    partition: str
    checkpoint_bytes_per_day: float


def demand(people: People) -> Demand:
    """Return what so many people ask for."""
    turns = people.count * people.turns_per_hour / 3600 * people.peak
    seconds = people.first_token_seconds + people.answer_tokens / people.tokens_per_second
    per_day = people.count * people.turns_per_hour * people.hours_per_day
    return Demand(turns * seconds, turns, turns * people.answer_tokens, per_day)


def sized(people: People, costs: Costs, *, pool: int = 10) -> Fleet:
    """Return what so many people need. pool: DATABASE_POOL; a node has two, and its leases."""
    asked = demand(people)
    cores = {
        "tokens": asked.tokens * costs.fleet_token_seconds,
        "turns": asked.turns * costs.fleet_turn_seconds,
        "sockets": people.count * costs.socket_seconds,
    }
    # One more than needed, because one may be down.
    nodes = ceil(sum(cores.values()) / (people.core_share - costs.fleet_node_seconds)) + 1
    shards = shards_for(asked.tokens, nodes, people.wait_seconds, costs)
    turns, looks = asked.turns * costs.postgres_turn_commits, nodes * costs.postgres_node_commits
    rows = asked.turns_per_day * costs.postgres_turn_bytes
    return Fleet(
        demand=asked,
        node_cores=cores,
        nodes=nodes,
        node_bytes=_node_bytes(people, asked, nodes, costs),
        shards=shards,
        wait_seconds=turn_seconds(asked.tokens / shards, nodes, costs),
        log_bytes=_log_bytes(people, costs),
        commits=turns + looks,
        postgres_cores=_postgres_cores(asked, nodes, costs),
        wal_bytes=_wal_bytes(asked, costs),
        lease_wal_bytes=asked.streams * costs.postgres_run_wal_bytes,
        postgres_servers=ceil((turns + looks) / people.commits_per_second),
        connections=nodes * (2 * pool + 1),
        row_bytes_per_day=rows,
        partition=_partition(rows),
        checkpoint_bytes_per_day=asked.turns_per_day * costs.checkpoint_bytes,
    )


def shards_for(tokens: float, nodes: int, wait_seconds: float, costs: Costs) -> int:
    """Return the fewest shards whose turns take no longer, with room for bursts."""
    shards = ceil(tokens * costs.redis_call_seconds / SPARE_SHARE) or 1
    while turn_seconds(tokens / shards / SPARE_SHARE, nodes, costs) > wait_seconds:
        shards += 1
    return shards


def _node_bytes(people: People, asked: Demand, nodes: int, costs: Costs) -> float:
    everywhere = people.count * costs.socket_bytes + asked.streams * costs.run_bytes
    # What one takes over when another is down.
    return costs.node_bytes + everywhere / max(1, nodes - 1)


def _log_bytes(people: People, costs: Costs) -> float:
    # Redis keeps a conversation's log for an hour after the last word.
    return people.count * people.turns_per_hour * people.answer_tokens * costs.redis_event_bytes


def _postgres_cores(asked: Demand, nodes: int, costs: Costs) -> float:
    runs = asked.streams * costs.postgres_run_seconds
    return asked.turns * costs.postgres_turn_seconds + runs + nodes * costs.postgres_node_seconds


def _wal_bytes(asked: Demand, costs: Costs) -> float:
    leases = asked.streams * costs.postgres_run_wal_bytes
    return asked.turns * costs.postgres_turn_wal_bytes + leases


def _partition(bytes_per_day: float) -> str:
    for name, days in SPANS:
        if bytes_per_day * days <= PARTITION_BYTES:
            return name
    return "less than a day"
