"""Runs in the relational database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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
        async with self._database.writing() as connection:
            admission = Admission(connection, request, self._clock.now())
            return await admission.write(limits, may_start=may_start)

    async def _same(self, request: RunRequest) -> Run:
        """Return the run that is there; a stranger's, or one elsewhere, is a conflict."""
        async with self._database.reading() as connection:
            run = await read_run(connection, request.run_id)
        if (run.principal, run.conversation_id) != (request.principal, request.conversation_id):
            raise Conflict("This run id is taken.")
        return run

    async def claim(self) -> Run | None:
        """See `RunStore`."""
        async with self._database.writing() as connection:
            free = await connection.scalar(next_free_run())
            if free is None:
                return None
            run = await read_run(connection, RunId(free))
            await connection.execute(taken(run.id))
            if run.message_position == 0:
                now = self._clock.now()
                position = await next_position(connection, run.conversation_id, now)
                waiting = replace(run, message_position=position, messages_before=position - 1)
                await connection.execute(placed(waiting))
                await place_question(connection, waiting, now)
            return await read_run(connection, run.id)

    async def finish(self, run: Run, ending: Ending) -> int | None:
        """See `RunStore`."""
        now = self._clock.now()
        async with self._database.writing() as connection:
            if not await end(connection, run, ending, now):
                return None
            if ending.answer is None:
                return await message_count(connection, run.conversation_id)
            return await self._write_answer(connection, run, ending.answer, now)

    async def _write_answer(
        self, connection: AsyncConnection, run: Run, answer: Answer, now: datetime
    ) -> int:
        """Write the answer at the end of the transcript and return its place."""
        position = await next_position(connection, run.conversation_id, now)
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
        if not await insert_message(connection, message, run.principal.tenant_id):
            raise Conflict("The conversation has a message with this id already.")
        return position

    async def request_cancel(self, principal: Principal, run_id: RunId) -> Run:
        """See `RunStore`."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(RunRow)
                .where(owned(principal, run_id), RunRow.status.in_(LIVE))
                .values(cancel_requested=True)
            )
            return await read_own_run(connection, principal, run_id)

    async def reopen(self) -> int:
        """See `RunStore`."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(RunRow)
                .where(RunRow.status == RunStatus.RUNNING)
                .values(status=RunStatus.QUEUED)
            )
            waiting = select(func.count()).where(RunRow.status == RunStatus.QUEUED)
            return (await connection.execute(waiting)).scalar_one()

    async def get(self, principal: Principal, run_id: RunId) -> Run:
        """See `RunRecords`."""
        async with self._database.reading() as connection:
            return await read_own_run(connection, principal, run_id)

    async def of_conversation(
        self, principal: Principal, conversation_id: ConversationId
    ) -> Sequence[Run]:
        """See `RunRecords`."""
        query = runs_of(principal, conversation_id)
        async with self._database.reading() as connection:
            return [run_of(row._asdict()) for row in await connection.execute(query)]
