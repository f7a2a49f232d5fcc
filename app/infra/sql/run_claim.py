"""Takes one run that nobody has: the transaction behind `RunStore.claim`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.infra.sql.claim_statements import free_run, take_conversation, take_run
from app.infra.sql.questions import place_question
from app.infra.sql.run_rows import run_of
from core.runs import Run, RunStatus

Columns = Mapping[str, Any]


class Claim:
    """One look for a run, for one node."""

    def __init__(self, connection: Connection, node: str, lease_seconds: float) -> None:
        self._connection = connection
        self._node = node
        self._lease_seconds = lease_seconds

    def take(self, now: datetime) -> Run | None:
        """Make a run the node's and return it; None where there is none."""
        dialect = self._connection.dialect.name
        row = self._connection.execute(free_run(dialect), {"node": self._node}).one_or_none()
        if row is None:
            return None
        found = row._asdict()
        is_first = found["message_position"] == 0
        marks = {"conversation": found["conversation_id"], "added": int(is_first), "now": now}
        conversation = self._connection.execute(take_conversation(dialect), marks).one()._asdict()
        run = self._take_run(found, conversation, now)
        return place_question(self._connection, run, now) if is_first else run

    def _take_run(self, found: Columns, conversation: Columns, now: datetime) -> Run:
        is_over = RunStatus(found["status"]).is_final
        position = found["message_position"] or conversation["message_count"]
        columns = {
            "run": found["id"],
            "of_fence": found["fence"],
            "begun_as": found["status"] if is_over else RunStatus.RUNNING,
            "of_attempt": found["attempt"] + (not is_over),
            "new_fence": conversation["fence"],
            "node": self._node,
            "lease_seconds": self._lease_seconds,
            "position": position,
            "before": found["messages_before"] if found["message_position"] else position - 1,
            "now": now,
        }
        statement = take_run(self._connection.dialect.name)
        taken = self._connection.execute(statement, columns).one()
        return run_of({**conversation, **taken._asdict()})
