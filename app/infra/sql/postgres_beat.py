"""Asks Postgres to renew leases, over a connection that nothing else uses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg

from app.infra.sql.postgres_address import connection_string
from core.ids import RunId
from core.ports.run_store import Held

# A lease that ran out and that nobody took is had again.
RENEW = """
UPDATE runs SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE owner = %(node)s AND is_active AND id = ANY(%(runs)s)
RETURNING id, fence, cancel_requested
"""


T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]


class Beat:
    """A connection that is opened when it is needed, and anew after any error.

    timeout_seconds: no renewal takes longer, but for the opening of a connection.
    """

    def __init__(self, url: str, node: str, lease_seconds: float, timeout_seconds: float) -> None:
        self._node = node
        self._lease_seconds = lease_seconds
        self._timeout_ms = max(1, int(timeout_seconds * 1000))
        self._address = connection_string(
            url,
            connect_timeout=2,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=2,
            tcp_user_timeout=self._timeout_ms,
        )
        self._connection: Connection | None = None

    def renew(self, run_ids: Sequence[RunId]) -> Mapping[RunId, Held]:
        """Renew the leases of these runs, and return those that are the node's.

        Raises `psycopg.Error`; the next call tries a new connection.
        """
        values = {"lease": self._lease_seconds, "node": self._node, "runs": list(run_ids)}
        rows = self.do(lambda connection: connection.execute(RENEW, values).fetchall())
        return {RunId(run_id): Held(fence, cancel) for run_id, fence, cancel in rows}

    def do(self, work: Callable[[Connection], T]) -> T:
        """Return what something else gives that is done with the connection; raises as `renew`."""
        try:
            return work(self._opened())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> Connection:
        if self._connection is None:
            connection = psycopg.connect(self._address, autocommit=True)
            self._connection = connection
            connection.execute(f"SET statement_timeout = {self._timeout_ms}")
        return self._connection
