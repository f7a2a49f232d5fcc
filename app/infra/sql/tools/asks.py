"""Questions to people in the relational database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from app.infra.sql.conversation_statements import own_conversation
from app.infra.sql.engine import Database
from app.infra.sql.tools.ask_rows import Columns, ask_of, ask_values
from app.infra.sql.tools.ask_statements import (
    asks_left_by,
    asks_of_root,
    call_attempts,
    insert_ask,
    last_ask,
    lock_run,
    named_asks,
    pending_asks,
)
from core.clock import Clock
from core.errors import NotFound
from core.ids import ConversationId, RunId
from core.ports.tool_ledger import CallFenced
from core.principal import Principal
from core.tools import Ask, AskKind


class SqlAsks:
    """See `Asks` and `AskRecords`. node: whose runs ask, as `SqlRunStore` has it."""

    def __init__(self, database: Database, clock: Clock, node: str) -> None:
        self._database = database
        self._clock = clock
        self._node = node

    async def ask(self, run_id: RunId, fence: int, asks: Sequence[Ask]) -> Sequence[Ask]:
        """See `Asks`."""
        attempt = {"run": run_id, "of_fence": fence, "node": self._node}

        def write(connection: Connection) -> list[Ask]:
            run = connection.execute(lock_run(), attempt).one_or_none()
            if run is None:
                raise CallFenced
            return [self._put(connection, run._asdict(), run_id, ask) for ask in asks]

        return await self._database.write(write)

    def _put(self, connection: Connection, run: Columns, run_id: RunId, ask: Ask) -> Ask:
        """Record a question, unless the same one is on record and can be answered, or was."""
        dialect, now = connection.dialect.name, self._clock.now()
        place = {"root": ask.root_id, "call": ask.call_id, "of_kind": ask.kind, "now": now}
        call_attempt = 0
        if ask.kind is AskKind.UNKNOWN_OUTCOME:
            call_attempt = connection.scalar(call_attempts(), place) or 0
        last = connection.execute(last_ask(dialect), place).one_or_none()
        if last is not None and _stands(last._asdict(), call_attempt):
            return ask_of(last._asdict())
        if last is not None and last.id == ask.id:
            expires_at = now + (last.expires_at - last.asked_at)
            ask = replace(ask, id=str(uuid4()), expires_at=expires_at)
        columns = {
            **ask_values(ask, run, run_id),
            "number": 1 if last is None else last.number + 1,
            "call_attempt": call_attempt,
            "now": now,
            "until": ask.expires_at,
            "seconds": (ask.expires_at - now).total_seconds(),
        }
        return ask_of(connection.execute(insert_ask(dialect), columns).one()._asdict())

    async def of_run(self, root_id: RunId) -> Mapping[str, Sequence[Ask]]:
        """See `Asks`."""

        def read(connection: Connection) -> dict[str, list[Ask]]:
            found: dict[str, list[Ask]] = {}
            for row in connection.execute(asks_of_root(), {"root": root_id}):
                found.setdefault(row.call_id, []).append(ask_of(row._asdict()))
            return found

        return await self._database.read(read)

    async def pending(self, principal: Principal, conversation_id: ConversationId) -> Sequence[Ask]:
        """See `Asks`."""
        columns: dict[str, Any] = {
            "conversation": conversation_id,
            "tenant": principal.tenant_id,
            "caller": principal.id,
            "now": self._clock.now(),
        }

        def read(connection: Connection) -> list[Ask]:
            if connection.execute(own_conversation(), columns).one_or_none() is None:
                raise NotFound("There is no such conversation.")
            rows = connection.execute(pending_asks(connection.dialect.name), columns)
            return [ask_of(row._asdict()) for row in rows]

        return await self._database.read(read)

    async def left_by(self, run_id: RunId) -> Sequence[Ask]:
        """See `AskRecords`."""

        def read(connection: Connection) -> list[Ask]:
            ids = connection.scalar(asks_left_by(), {"run": run_id})
            rows = connection.execute(named_asks(), {"ids": ids}) if ids else ()
            return [ask_of(row._asdict()) for row in rows]

        return await self._database.read(read)


def _stands(last: Columns, call_attempt: int) -> bool:
    is_open = last["decision"] is not None or not last["is_expired"]
    return bool(is_open and last["call_attempt"] == call_attempt)
