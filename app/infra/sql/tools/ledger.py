"""The record of tool calls in the relational database."""

from sqlalchemy import Connection

from app.infra.sql.engine import Database
from app.infra.sql.tools.ledger_statements import (
    begin_call,
    begin_call_again,
    end_call,
    recorded_call,
)
from core.clock import Clock
from core.ports.tool_ledger import CallFenced, CallKey, CallRecord, RecordStatus
from core.storable_text import storable


class SqlToolLedger:
    """See `ToolLedger`. node: whose runs they are, as `SqlRunStore` has it."""

    def __init__(self, database: Database, clock: Clock, node: str) -> None:
        self._database = database
        self._clock = clock
        self._node = node

    async def begin(self, key: CallKey) -> CallRecord:
        """See `ToolLedger`."""
        columns = self._columns(key, RecordStatus.STARTED)

        def write(connection: Connection) -> CallRecord:
            begun = connection.execute(begin_call(connection.dialect.name), columns)
            if begun.one_or_none() is not None:
                return CallRecord(RecordStatus.STARTED, True, key.arguments_hash)
            return _recorded(connection, columns)

        return await self._database.write_alone(write)

    async def begin_again(self, key: CallKey) -> None:
        """See `ToolLedger`."""
        columns = self._columns(key, RecordStatus.STARTED)

        def write(connection: Connection) -> None:
            begun = connection.execute(begin_call_again(connection.dialect.name), columns)
            if begun.one_or_none() is None:
                raise CallFenced

        await self._database.write_alone(write)

    async def end(self, key: CallKey, status: RecordStatus, result: str) -> None:
        """See `ToolLedger`."""
        columns = self._columns(key, status, storable(result))

        def write(connection: Connection) -> None:
            ended = connection.execute(end_call(connection.dialect.name), columns)
            if ended.one_or_none() is None:
                raise CallFenced

        await self._database.write_alone(write)

    def _columns(self, key: CallKey, status: RecordStatus, result: str = "") -> dict[str, object]:
        return {
            "root": key.root_id,
            "call": key.call_id,
            "run": key.run_id,
            "of_fence": key.fence,
            "node": self._node,
            "of_tool": key.tool,
            "of_effect": key.effect,
            "of_hash": key.arguments_hash,
            "as_status": status,
            "with_result": result,
            "now": self._clock.now(),
        }


def _recorded(connection: Connection, columns: dict[str, object]) -> CallRecord:
    row = connection.execute(recorded_call(), columns).one_or_none()
    if row is None:
        raise CallFenced
    return CallRecord(RecordStatus(row.status), False, row.arguments_hash, row.result)
