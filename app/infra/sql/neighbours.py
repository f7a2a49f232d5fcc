"""Tells other nodes through the database how this one sees the log, and hears how they do."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from core.ports.neighbours import LogSight

# Nodes ask a log that is not busy about once a second: of two that lost it at the same moment,
# one may have been answered so much later than the other.
LATER_SECONDS = 2.0
# A node that was not answered for so long when it beat has lost the log as well.
ANSWERED_SECONDS = 2.0
# Whom the log has answered without a break for so long is believed. When a log that nobody had
# is back, one node finds it sooner than another, by five seconds at most.
STEADY_SECONDS = 6.0
# A node that has not beaten for so many beats says nothing about now.
FRESH_BEATS = 3
FORGET_SECONDS = 60

# The times are the database's; nodes only say how long ago things were. Of two nodes that come
# back after a minute, neither waits for the other's row.
MEET = """
WITH mine AS (
    INSERT INTO nodes (name, beat_at, log_seen_at, log_steady_since)
    SELECT
        %(node)s,
        now,
        now - make_interval(secs => %(silent)s),
        now - make_interval(secs => %(silent)s + %(steady)s)
    FROM clock_timestamp() AS now
    ON CONFLICT (name) DO UPDATE SET
        beat_at = excluded.beat_at,
        log_seen_at = excluded.log_seen_at,
        log_steady_since = excluded.log_steady_since
    RETURNING beat_at, log_seen_at
), gone AS (
    DELETE FROM nodes WHERE name IN (
        SELECT name FROM nodes
        WHERE beat_at < clock_timestamp() - make_interval(secs => %(forget)s)
            AND name <> %(node)s
        FOR UPDATE SKIP LOCKED
    )
)
SELECT EXISTS (
    SELECT FROM nodes, mine
    WHERE name <> %(node)s
        AND nodes.beat_at > mine.beat_at - make_interval(secs => %(fresh)s)
        AND nodes.log_seen_at > mine.log_seen_at + make_interval(secs => %(later)s)
        AND nodes.log_seen_at > nodes.beat_at - make_interval(secs => %(answered)s)
        AND nodes.log_steady_since <= nodes.log_seen_at - make_interval(secs => %(steadiness)s)
)
"""


class NoNeighbours:
    """See `Neighbours`. For a node that shares its database or its log with nobody."""

    def tell(self, look: Callable[[], LogSight]) -> None:
        """See `Neighbours`."""

    def see_log(self) -> bool:
        """See `Neighbours`."""
        return False


class PostgresNeighbours:
    """See `Neighbours`. The thread that keeps the leases calls `meet` with each of its beats."""

    def __init__(self, node: str, beat_seconds: float) -> None:
        self._fresh_seconds = FRESH_BEATS * beat_seconds
        self._facts = {
            "node": node,
            "fresh": self._fresh_seconds,
            "later": LATER_SECONDS,
            "answered": ANSWERED_SECONDS,
            "steadiness": STEADY_SECONDS,
            "forget": FORGET_SECONDS,
        }
        self._look: Callable[[], LogSight] | None = None
        # Whether another sees the log, and when that was; replaced whole by the other thread.
        self._heard = (False, float("-inf"))

    def tell(self, look: Callable[[], LogSight]) -> None:
        """See `Neighbours`."""
        self._look = look

    def see_log(self) -> bool:
        """See `Neighbours`."""
        is_seen, heard_at = self._heard
        return is_seen and time.monotonic() - heard_at < self._fresh_seconds

    def meet(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Exchange what there is to say. Raises `psycopg.Error`."""
        if self._look is None:
            return
        sight, now = self._look(), time.monotonic()
        said = {"silent": sight.silent_seconds, "steady": sight.steady_seconds}
        row = connection.execute(MEET, {**self._facts, **said}).fetchone()
        self._heard = (row is not None and bool(row[0]), now)
