"""Counts and lists the runs in the relational database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import get_args

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, or_, select

from app.infra.sql.attempts import QUEUED, RUNNING
from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.engine import Database
from app.infra.sql.moments import moment
from core.clock import Clock
from core.ids import ConversationId, RunId
from core.ports.run_census import LiveRun, LiveStatus
from core.principal import Principal


class SqlRunCensus:
    """See `RunCensus`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def counts(self) -> Mapping[LiveStatus, int]:
        """See `RunCensus`."""

        def read(connection: Connection) -> dict[LiveStatus, int]:
            found = {row.live_status: row.number for row in connection.execute(_counts())}
            return {status: found.get(status, 0) for status in get_args(LiveStatus)}

        return await self._database.read(read)

    async def live(self, principal: Principal, limit: int) -> Sequence[LiveRun]:
        """See `RunCensus`."""
        columns = {"tenant": principal.tenant_id, "most": limit, "now": self._clock.now()}

        def read(connection: Connection) -> list[LiveRun]:
            rows = connection.execute(_live(connection.dialect.name), columns)
            return [_live_run(row) for row in rows]

        return await self._database.read(read)


@cache
def _counts() -> Select[str, int]:
    status = _live_status()
    return select(status, func.count().label("number")).where(_is_live()).group_by(status)


@cache
def _live(dialect: str) -> Select[object]:
    return (
        select(RunRow.__table__, _live_status(), moment(dialect).label("asked_at"))
        .where(RunRow.tenant_id == bindparam("tenant"), _is_live())
        .order_by(RunRow.ordinal)
        .limit(bindparam("most"))
    )


def _is_live() -> ColumnElement[bool]:
    return or_(RunRow.is_active, RunRow.status == QUEUED)


def _live_status() -> ColumnElement[str]:
    known = case((RunRow.status.in_([QUEUED, RUNNING]), RunRow.status), else_="telling")
    return known.label("live_status")


def _live_run(row: Row[object]) -> LiveRun:
    columns = row._asdict()
    asked_at: datetime = columns["asked_at"]
    lease_until: datetime | None = columns["lease_until"]
    waited = (columns["taken_at"] or asked_at) - columns["created_at"]
    return LiveRun(
        id=RunId(columns["id"]),
        conversation_id=ConversationId(columns["conversation_id"]),
        status=columns["live_status"],
        owner=columns["owner"],
        attempt=columns["attempt"],
        fence=columns["fence"],
        lease_seconds_left=None if lease_until is None else _seconds(lease_until - asked_at),
        waited_seconds=_seconds(waited),
    )


def _seconds(span: timedelta) -> float:
    return span.total_seconds()
