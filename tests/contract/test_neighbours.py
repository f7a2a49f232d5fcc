"""What nodes tell each other past the log, on a real Postgres."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.infra.sql.leases import PostgresLeases
from app.infra.sql.neighbours import STEADY_SECONDS, NoNeighbours, PostgresNeighbours
from core.ports.neighbours import LogSight

WELL = LogSight(silent_seconds=0.2, steady_seconds=600)
SILENT = LogSight(silent_seconds=3, steady_seconds=600)
BEAT_SECONDS = 1.0
PATIENCE_SECONDS = 20

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def node(name: str, sight: LogSight, beat_seconds: float = BEAT_SECONDS) -> PostgresNeighbours:
    """Return a node that sees the log like this."""
    node = PostgresNeighbours(name, beat_seconds)
    node.tell(lambda: sight)
    return node


def met(connection: Connection, *nodes: PostgresNeighbours) -> list[bool]:
    """Let all of them beat twice and return what they hear."""
    for each in (*nodes, *nodes):
        each.meet(connection)
    return [each.see_log() for each in nodes]


async def test_a_silent_node_hears_that_another_is_answered(connection: Connection) -> None:
    assert met(connection, node("a", SILENT), node("b", WELL)) == [True, False]


async def test_a_node_alone_hears_of_nobody(connection: Connection) -> None:
    assert met(connection, node("a", SILENT)) == [False]


async def test_a_log_that_is_silent_for_all_is_seen_by_nobody(connection: Connection) -> None:
    nodes = [node(name, SILENT) for name in "abc"]
    assert met(connection, *nodes) == [False, False, False]


async def test_who_was_answered_hardly_later_has_lost_it_too(connection: Connection) -> None:
    later = LogSight(SILENT.silent_seconds - 1.5, 600)
    assert met(connection, node("a", SILENT), node("b", later)) == [False, False]


async def test_who_has_only_just_been_answered_again_is_not_believed(
    connection: Connection,
) -> None:
    back = LogSight(0.2, STEADY_SECONDS - 1)
    assert met(connection, node("a", SILENT), node("b", back)) == [False, False]


async def test_who_has_lost_the_log_later_sees_it_no_more(connection: Connection) -> None:
    long_silent, silent = LogSight(30, 600), LogSight(5, 600)
    assert met(connection, node("a", long_silent), node("b", silent)) == [False, False]


async def test_a_node_that_beats_no_more_says_nothing(connection: Connection) -> None:
    silent = node("a", SILENT)
    met(connection, silent, node("b", WELL))
    connection.execute("UPDATE nodes SET beat_at = beat_at - interval '4 s' WHERE name = 'b'")

    assert met(connection, silent) == [False]


async def test_a_node_that_is_gone_is_forgotten(connection: Connection) -> None:
    met(connection, node("a", WELL), node("b", WELL))
    connection.execute("UPDATE nodes SET beat_at = beat_at - interval '1 hour' WHERE name = 'b'")

    met(connection, node("c", WELL))

    names = connection.execute("SELECT name FROM nodes ORDER BY name").fetchall()
    assert names == [("a",), ("c",)]


async def test_what_was_heard_long_ago_is_not_known_now(connection: Connection) -> None:
    silent = node("a", SILENT, beat_seconds=0.05)
    met(connection, node("b", WELL), silent)

    async with asyncio.timeout(PATIENCE_SECONDS):
        # Nothing tells of it.
        while silent.see_log():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_who_does_not_know_how_it_sees_the_log_says_nothing(connection: Connection) -> None:
    PostgresNeighbours("a", BEAT_SECONDS).meet(connection)

    assert connection.execute("SELECT FROM nodes").fetchall() == []


async def test_a_beat_touches_no_index(connection: Connection) -> None:
    one, other = node("a", WELL), node("b", WELL)
    for _ in range(100):
        met(connection, one, other)
    connection.execute("SELECT pg_stat_force_next_flush()")

    row = connection.execute(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'nodes'"
    ).fetchone()
    assert row is not None
    updates, in_place = row
    assert updates == in_place > 0


async def test_nodes_meet_with_the_beat_of_their_leases(postgres_url: str) -> None:
    one, other = node("a", SILENT), node("b", WELL)
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        beats = [
            group.create_task(
                PostgresLeases(postgres_url, name, 1, 0.1, each.meet).keep(tuple, lambda *_: None)
            )
            for name, each in (("a", one), ("b", other))
        ]
        # Nothing tells of it.
        while not one.see_log():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for beat in beats:
            beat.cancel()


async def test_where_nothing_is_shared_nobody_sees_anything() -> None:
    neighbours = NoNeighbours()
    neighbours.tell(lambda: SILENT)
    assert not neighbours.see_log()
