"""Runs in the relational database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, func, select, update

from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.engine import Database
from app.infra.sql.questions import insert_message, place_question, placed
from app.infra.sql.run_admission import Admission, AlreadyAdmitted
from app.infra.sql.run_queries import (
    end,
    message_count,
    next_free_run,
    next_position,
    owned,
    read_own_run,
    read_run,
    runs_of,
    taken,
)
from app.infra.sql.run_rows import LIVE, run_of
from core.clock import Clock
from core.conversations import Message, Role
from core.errors import Conflict
from core.ids import ConversationId, RunId
from core.ports.run_store import AdmissionLimits, Admitted, Ending
from core.principal import Principal
from core.runs import Answer, Run, RunRequest, RunStatus


class SqlRunStore:
    """See `RunStore` and `RunRecords`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def admit(
        self, request: RunRequest, limits: AdmissionLimits, *, may_start: bool
    ) -> Admitted:
        """See `RunStore`."""
        try:
            return await self._admit(request, limits, may_start=may_start)
        except AlreadyAdmitted:
            return Admitted(await self._same(request), is_duplicate=True)

    async def _admit(
        self, request: RunRequest, limits: AdmissionLimits, *, may_start: bool
    ) -> Admitted:
        def write(connection: Connection) -> Admitted:
            admission = Admission(connection, request, now)
            return admission.write(limits, may_start=may_start)

        now = self._clock.now()
        return await self._database.write(write)

    async def _same(self, request: RunRequest) -> Run:
        """Return the run that is there; a stranger's, or one elsewhere, is a conflict."""
        run = await self._database.read(partial(read_run, run_id=request.run_id))
        if (run.principal, run.conversation_id) != (request.principal, request.conversation_id):
            raise Conflict("This run id is taken.")
        return run

    async def claim(self) -> Run | None:
        """See `RunStore`."""
        return await self._database.write(partial(_claim, now=self._clock.now()))

    async def finish(self, run: Run, ending: Ending) -> int | None:
        """See `RunStore`."""
        work = partial(_finish, run=run, ending=ending, now=self._clock.now())
        return await self._database.write(work)

    async def request_cancel(self, principal: Principal, run_id: RunId) -> Run:
        """See `RunStore`."""

        def note(connection: Connection) -> Run:
            connection.execute(
                update(RunRow)
                .where(owned(principal, run_id), RunRow.status.in_(LIVE))
                .values(cancel_requested=True)
            )
            return read_own_run(connection, principal, run_id)

        return await self._database.write(note)

    async def reopen(self) -> int:
        """See `RunStore`."""
        return await self._database.write(_reopen)

    async def get(self, principal: Principal, run_id: RunId) -> Run:
        """See `RunRecords`."""
        read = partial(read_own_run, principal=principal, run_id=run_id)
        return await self._database.read(read)

    async def of_conversation(
        self, principal: Principal, conversation_id: ConversationId
    ) -> Sequence[Run]:
        """See `RunRecords`."""

        def read(connection: Connection) -> list[Run]:
            rows = connection.execute(runs_of(principal, conversation_id))
            return [run_of(row._asdict()) for row in rows]

        return await self._database.read(read)


def _claim(connection: Connection, now: datetime) -> Run | None:
    free = connection.scalar(next_free_run())
    if free is None:
        return None
    run = read_run(connection, RunId(free))
    connection.execute(taken(run.id))
    if run.message_position == 0:
        position = next_position(connection, run.conversation_id, now)
        waiting = replace(run, message_position=position, messages_before=position - 1)
        connection.execute(placed(waiting))
        place_question(connection, waiting, now)
    return read_run(connection, run.id)


def _finish(connection: Connection, run: Run, ending: Ending, now: datetime) -> int | None:
    if not end(connection, run, ending, now):
        return None
    if ending.answer is None:
        return message_count(connection, run.conversation_id)
    return _write_answer(connection, run, ending.answer, now)


def _write_answer(connection: Connection, run: Run, answer: Answer, now: datetime) -> int:
    """Write the answer at the end of the transcript and return its place."""
    position = next_position(connection, run.conversation_id, now)
    message = Message(
        answer.message_id,
        run.conversation_id,
        run.id,
        position,
        Role.ASSISTANT,
        answer.text,
        now,
        answer.citations,
        answer.tool_calls,
    )
    if not insert_message(connection, message, run.principal.tenant_id):
        raise Conflict("The conversation has a message with this id already.")
    return position


def _reopen(connection: Connection) -> int:
    connection.execute(
        update(RunRow).where(RunRow.status == RunStatus.RUNNING).values(status=RunStatus.QUEUED)
    )
    waiting = select(func.count()).where(RunRow.status == RunStatus.QUEUED)
    return connection.execute(waiting).scalar_one()
