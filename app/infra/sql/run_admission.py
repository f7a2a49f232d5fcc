"""Puts a message on disk, once: the transaction behind `RunStore.admit`."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app.infra.sql.attempts import QUEUED
from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.questions import place_question
from app.infra.sql.run_rows import begun_values, run_of, run_values
from app.infra.sql.tools.answers import Questions, find_questions, record_answers
from app.infra.sql.turn_statements import insert_run, live_runs, touch_conversation
from core.errors import Busy, NotFound
from core.ids import RunId
from core.ports.run_store import AdmissionLimits, Admitted
from core.runs import OnBusy, Run, RunRequest, RunStatus
from core.storable_text import storable

TITLE_LENGTH = 80
RETRY_AFTER_SECONDS = 1.0
EPOCH_BYTES = 8


class AlreadyAdmitted(Exception):
    """The run's id is taken; the transaction is rolled back and the run looked up."""


class Admission:
    """One request's way through one transaction.

    Where another request is admitted to the conversation at the same time, one of the two is
    undone by the database and done anew.
    """

    def __init__(
        self, connection: Connection, request: RunRequest, node: str, lease_seconds: float
    ) -> None:
        self._connection = connection
        self._request = request
        self._node = node
        self._lease_seconds = lease_seconds
        # What a person answers is never turned away because something else is said.
        self._on_busy = OnBusy.QUEUE if request.answers else request.on_busy

    def write(self, limits: AdmissionLimits, now: datetime, *, may_start: bool) -> Admitted:
        """Write the run, the answers it brings and, where it starts, its message.

        Raises `AlreadyAdmitted`, and the errors of `RunStore.admit`.
        """
        live = self._live_runs()
        if self._request.run_id in live:
            raise AlreadyAdmitted
        starts = may_start and not live
        conversation = self._touch_conversation(now, starts=starts)
        questions = self._find_questions(now)
        run = self._insert_run(conversation, questions, now, starts=starts)
        if questions is not None:
            record_answers(self._connection, self._request, questions, now)
        if starts:
            run = place_question(self._connection, run, now)
            return Admitted(run, is_duplicate=False)
        self._check_room(live, limits)
        return Admitted(run, is_duplicate=False, interrupts=self._interrupted(live))

    def _live_runs(self) -> dict[RunId, RunStatus]:
        conversation = {"conversation": self._request.conversation_id}
        rows = self._connection.execute(live_runs(), conversation)
        return {RunId(row.id): RunStatus(row.status) for row in rows}

    def _touch_conversation(self, now: datetime, *, starts: bool) -> Mapping[str, Any]:
        """Make the conversation or note the change; return it as it is after this."""
        caller = self._request.principal
        columns = {
            "id": self._request.conversation_id,
            "tenant_id": caller.tenant_id,
            "owner": caller.id,
            "title": _title(storable(self._request.message.content)),
            "message_count": int(starts),
            "fence": int(starts),
            "log_epoch": secrets.token_hex(EPOCH_BYTES),
            "log_head": 0,
            "log_messages": 0,
            "created_at": now,
            "updated_at": now,
        }
        row = self._connection.execute(touch_conversation(self._connection), columns).one()
        if (row.tenant_id, row.owner) != (caller.tenant_id, caller.id):
            raise NotFound("There is no such conversation.")
        return row._asdict()

    def _find_questions(self, now: datetime) -> Questions | None:
        if not self._request.answers:
            return None
        return find_questions(self._connection, self._request, now)

    def _insert_run(
        self,
        conversation: Mapping[str, Any],
        questions: Questions | None,
        now: datetime,
        *,
        starts: bool,
    ) -> Run:
        columns = run_values(self._request, now)
        if questions is not None:
            columns |= questions.continued_values()
        if starts:
            columns |= begun_values(conversation, self._node, now)
        statement = insert_run(self._connection, starts=starts)
        lease = {"lease_seconds": self._lease_seconds}
        row = self._connection.execute(statement, columns | lease).one_or_none()
        if row is None:
            raise AlreadyAdmitted
        return run_of({**conversation, **columns, **row._asdict()})

    def _check_room(self, live: dict[RunId, RunStatus], limits: AdmissionLimits) -> None:
        # A run that has ended and is about to be told keeps nobody away: this one comes next.
        is_busy = any(not status.is_final for status in live.values())
        if is_busy and self._on_busy is OnBusy.REJECT:
            raise _busy("This conversation is still being answered.")
        waiting = sum(status is RunStatus.QUEUED for status in live.values())
        if live and waiting >= limits.queued_per_conversation:
            raise _busy("Too many messages wait in this conversation.")
        queued = self._connection.scalar(
            select(func.count()).select_from(RunRow).where(RunRow.status == QUEUED)
        )
        # This run is counted already.
        if (queued or 0) > limits.queued:
            raise _busy("The server is busy.")

    def _interrupted(self, live: dict[RunId, RunStatus]) -> RunId | None:
        if self._on_busy is not OnBusy.INTERRUPT:
            return None
        running = (run for run, status in live.items() if status is RunStatus.RUNNING)
        return next(running, None)


def _busy(message: str) -> Busy:
    return Busy(message, retry_after_seconds=RETRY_AFTER_SECONDS)


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
