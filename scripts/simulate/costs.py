"""What one of each thing costs, and where each figure comes from."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal, get_type_hints

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from.

    kind: `measured` by us on two cores, `derived` from what was measured, or `assumed`: nobody
        has measured it here.
    """

    kind: Literal["measured", "derived", "assumed"]
    how: str


BENCH = Source("measured", "make bench")
MEASURE = Source("measured", "python -m scripts.simulate.measure")
FLEET = Source("measured", "python -m scripts.simulate.measure_fleet")
REDIS = Source("measured", "Redis 7.0, AOF everysec, the log's script, 1 to 300 connections")


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds of one core, where a name says nothing else.

    All was measured on a machine with two cores: the server had one of them, its load the other;
    where a cluster was measured, they shared both. Change a default when you have measured it
    better, and where it comes from with it.
    """

    # --- One node ---
    # The server and its worker that embeds, both after their first documents.
    node_bytes: Annotated[float, MEASURE] = 570 * MIB
    # Open, subscribed, silent.
    socket_bytes: Annotated[float, BENCH] = 24.2 * KIB
    # A second of it: one `beat` each two seconds.
    socket_seconds: Annotated[float, MEASURE] = 19e-6
    # What a run at work adds to its socket: graph, model connection, log.
    run_bytes: Annotated[float, MEASURE] = 174 * KIB
    # 500 streams of 30/s; 60 µs at 200 streams.
    token_seconds: Annotated[float, BENCH] = 51e-6
    # One that looks something up, without its tokens.
    turn_seconds: Annotated[float, MEASURE] = 24.5e-3
    # A client that comes back: connection, upgrade and hello, then subscribe and what it missed.
    handshake_seconds: Annotated[float, MEASURE] = 0.57e-3
    subscribe_seconds: Annotated[float, MEASURE] = 0.5e-3

    # --- A node among others ---
    # Two nodes with 100 streams of 30/s each, Redis not counted: fewer tokens are carried at once.
    fleet_token_seconds: Annotated[float, FLEET] = 121e-6
    fleet_turn_seconds: Annotated[float, FLEET] = 40e-3
    # With nothing to do, in a second.
    fleet_node_seconds: Annotated[float, FLEET] = 15e-3

    # --- Redis ---
    # One turn of its loop: waking up, and the write to its append-only file.
    redis_turn_seconds: Annotated[float, REDIS] = 35e-6
    # In a turn: a node's trip that is read and answered, and a node that is written to.
    redis_trip_seconds: Annotated[float, REDIS] = 12e-6
    redis_write_seconds: Annotated[float, REDIS] = 10e-6
    # A script call with one event and one node that reads it.
    redis_call_seconds: Annotated[float, REDIS] = 9.5e-6
    # Each further event in the same call, and each further node that reads it.
    redis_event_seconds: Annotated[float, REDIS] = 0.8e-6
    redis_reader_seconds: Annotated[float, REDIS] = 0.6e-6
    # In the stream's memory.
    redis_event_bytes: Annotated[float, REDIS] = 195
    network_seconds: Annotated[
        float, Source("assumed", "one way between machines of one data centre")
    ] = 0.1e-3
    flush_seconds: Annotated[float, Source("assumed", "a node's own work before a trip leaves")] = (
        0.1e-3
    )

    # --- Postgres ---
    # All of a turn that looks something up, its checkpoints included; 300 tokens.
    postgres_turn_seconds: Annotated[float, FLEET] = 8e-3
    postgres_turn_commits: Annotated[float, FLEET] = 13
    postgres_turn_wal_bytes: Annotated[float, FLEET] = 17_000
    # Conversation, messages and run with their indexes.
    postgres_turn_bytes: Annotated[float, FLEET] = 3_400
    checkpoint_bytes: Annotated[float, FLEET] = 8_000
    # A run at work, in a second: its lease is a row that each beat writes anew.
    postgres_run_seconds: Annotated[float, FLEET] = 45e-6
    postgres_run_wal_bytes: Annotated[float, FLEET] = 690
    # A node, in a second: its beat, its looks for lost runs, its readiness.
    postgres_node_seconds: Annotated[float, FLEET] = 4e-3
    postgres_node_commits: Annotated[float, FLEET] = 7
    # A statement as its asker sees it: the least, and how much longer on average under load.
    statement_seconds: Annotated[
        float, Source("measured", "PostgreSQL 15, admission over one connection")
    ] = 1e-3
    statement_wait_seconds: Annotated[
        float, Source("derived", "7.6 ms at p95 with 1,000 commits a second, measured")
    ] = 2e-3

    # --- A takeover, beside its claim ---
    takeover_cpu_seconds: Annotated[
        float, Source("assumed", "a part of what a turn's beginning costs")
    ] = 5e-3
    takeover_wait_seconds: Annotated[
        float, Source("assumed", "the log taken, the checkpoint read, the first event delivered")
    ] = 20e-3


def sources() -> dict[str, Source]:
    """Return where each of the costs comes from, by its name."""
    hints = get_type_hints(Costs, include_extras=True)
    return {one.name: hints[one.name].__metadata__[0] for one in fields(Costs)}
