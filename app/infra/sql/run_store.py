"""Runs in the relational database."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, update

from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.engine import Database
from app.infra.sql.run_admission import Admission, AlreadyAdmitted
from app.infra.sql.run_claim import Claim
from app.infra.sql.run_ending import (
    NotHeld,
    finish,
    finished,
    held_by,
    mark_values,
    someone_waits,
    tell,
)
from app.infra.sql.run_queries import owned, read_own_run, read_run, runs_of
from app.infra.sql.run_rows import run_of
from app.infra.sql.run_statements import give_away, restart_log
from core.clock import Clock
from core.conversations import LogMark
from core.errors import Conflict
from core.ids import ConversationId, RunId
from core.ports.run_store import AdmissionLimits, Admitted, Ending, Finished
from core.principal import Principal
from core.runs import Run, RunRequest, RunStatus

LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class SqlRunStore:
    """See `RunStore` and `RunRecords`.

    node: its name; no other process has had it.
    lease_seconds: on Postgres, how long a run is the node's without a renewal. On SQLite there
        is one process: what another one had is free.
    """

    def __init__(self, database: Database, clock: Clock, node: str, lease_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._node = node
        self._lease_seconds = lease_seconds

    async def admit(
        self, request: RunRequest, limits: AdmissionLimits, *, may_start: bool
    ) -> Admitted:
        """See `RunStore`."""

        def write(connection: Connection) -> Admitted:
            admission = Admission(connection, request, self._node, self._lease_seconds)
            return admission.write(limits, now, may_start=may_start)

        now = self._clock.now()
        try:
            return await self._database.write(write)
        except AlreadyAdmitted:
            return Admitted(await self._same(request), is_duplicate=True)

    async def _same(self, request: RunRequest) -> Run:
        """Return the run that is there; a stranger's, or one elsewhere, is a conflict."""
        run = await self._database.read(partial(read_run, run_id=request.run_id))
        if (run.principal, run.conversation_id) != (request.principal, request.conversation_id):
            raise Conflict("This run id is taken.")
        return run

    async def claim(self) -> Run | None:
        """See `RunStore`."""

        def write(connection: Connection) -> Run | None:
            return Claim(connection, self._node, self._lease_seconds).take(now)

        now = self._clock.now()
        return await self._database.write(write)

    async def restart_log(self, run: Run, mark: LogMark) -> bool:
        """See `RunStore`."""
        columns = {**held_by(run, self._node), **mark_values(mark)}

        def note(connection: Connection) -> bool:
            return connection.execute(restart_log(), columns).one_or_none() is not None

        return await self._database.write(note)

    async def finish(self, run: Run, ending: Ending, *, is_told: bool) -> Finished | None:
        """See `RunStore`."""
        held, now = held_by(run, self._node), self._clock.now()
        work = partial(finish, held=held, run=run, ending=ending, now=now, is_told=is_told)
        try:
            return await self._database.write(work)
        except NotHeld:
            return await self._database.read(partial(finished, held=held, ending=ending))

    async def tell(self, run: Run, mark: LogMark) -> bool:
        """See `RunStore`."""
        held = held_by(run, self._node)
        try:
            return await self._database.write(partial(tell, held=held, mark=mark))
        except NotHeld:
            return await self._database.read(partial(someone_waits, held=held))

    async def release(self, run: Run) -> None:
        """See `RunStore`."""
        columns = {**held_by(run, self._node), "now": self._clock.now()}

        def give(connection: Connection) -> None:
            connection.execute(give_away(connection.dialect.name), columns)

        await self._database.write(give)

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
