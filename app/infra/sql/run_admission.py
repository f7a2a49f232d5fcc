"""Puts a message on disk, once: the transaction behind `RunStore.admit`."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.questions import place_question
from app.infra.sql.run_rows import run_of, run_values
from app.infra.sql.turn_statements import insert_run, live_runs, touch_conversation
from core.errors import Busy, NotFound
from core.ids import RunId
from core.ports.run_store import AdmissionLimits, Admitted
from core.runs import OnBusy, Run, RunRequest, RunStatus

TITLE_LENGTH = 80
RETRY_AFTER_SECONDS = 1.0


class AlreadyAdmitted(Exception):
    """The run's id is taken; the transaction is rolled back and the run looked up."""


class Admission:
    """One request's way through one transaction."""

    def __init__(self, connection: Connection, request: RunRequest, now: datetime) -> None:
        self._connection = connection
        self._request = request
        self._now = now

    def write(self, limits: AdmissionLimits, *, may_start: bool) -> Admitted:
        """Write the run and, where it starts, its message.

        Raises `AlreadyAdmitted`, and the errors of `RunStore.admit`.
        """
        live = self._live_runs()
        if self._request.run_id in live:
            raise AlreadyAdmitted
        starts = may_start and not live
        position = self._touch_conversation(starts=starts)
        run = self._insert_run(position if starts else 0, starts=starts)
        if starts:
            run = place_question(self._connection, run, self._now)
            return Admitted(run, is_duplicate=False)
        self._check_room(live, limits)
        return Admitted(run, is_duplicate=False, interrupts=self._interrupted(live))

    def _live_runs(self) -> dict[RunId, RunStatus]:
        conversation = {"conversation": self._request.conversation_id}
        rows = self._connection.execute(live_runs(), conversation)
        return {RunId(row.id): RunStatus(row.status) for row in rows}

    def _touch_conversation(self, *, starts: bool) -> int:
        """Make the conversation or note the change; return its message count after this."""
        caller = self._request.principal
        columns = {
            "id": self._request.conversation_id,
            "tenant_id": caller.tenant_id,
            "owner": caller.id,
            "title": _title(self._request.message.content),
            "message_count": int(starts),
            "created_at": self._now,
            "updated_at": self._now,
        }
        statement = touch_conversation(self._connection)
        answer = self._connection.execute(statement, columns)
        row = answer.one()
        if (row.tenant_id, row.owner) != (caller.tenant_id, caller.id):
            raise NotFound("There is no such conversation.")
        return int(row.message_count)

    def _insert_run(self, position: int, *, starts: bool) -> Run:
        status = RunStatus.RUNNING if starts else RunStatus.QUEUED
        columns = run_values(self._request, status, position, self._now)
        answer = self._connection.execute(insert_run(self._connection), columns)
        if answer.rowcount == 0:
            raise AlreadyAdmitted
        return run_of(columns)

    def _check_room(self, live: dict[RunId, RunStatus], limits: AdmissionLimits) -> None:
        if live and self._request.on_busy is OnBusy.REJECT:
            raise _busy("This conversation is still being answered.")
        waiting = sum(status is RunStatus.QUEUED for status in live.values())
        if live and waiting >= limits.queued_per_conversation:
            raise _busy("Too many messages wait in this conversation.")
        queued = self._connection.scalar(
            select(func.count()).select_from(RunRow).where(RunRow.status == RunStatus.QUEUED)
        )
        # This run is counted already.
        if (queued or 0) > limits.queued:
            raise _busy("The server is busy.")

    def _interrupted(self, live: dict[RunId, RunStatus]) -> RunId | None:
        if self._request.on_busy is not OnBusy.INTERRUPT:
            return None
        running = (run for run, status in live.items() if status is RunStatus.RUNNING)
        return next(running, None)


def _busy(message: str) -> Busy:
    return Busy(message, retry_after_seconds=RETRY_AFTER_SECONDS)


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
