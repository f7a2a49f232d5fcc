"""What people and tenants have used, in the relational database."""

from dataclasses import asdict, fields
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Executable, Row, Select, bindparam, case, func, select

from app.infra.sql.engine import Database
from app.infra.sql.moments import today
from app.infra.sql.tools.tables import SpendingRow
from app.infra.sql.upsert import upsert
from core.budgets import Spent
from core.clock import Clock
from core.ports.spending import SpentToday
from core.principal import Principal

COUNTERS = tuple(field.name for field in fields(Spent))


class SqlSpending:
    """See `Spending`. A tenant's total is made of a row for each person of the day."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def today(self, principal: Principal) -> SpentToday:
        """See `Spending`."""
        columns = _columns(principal, self._clock.now())

        def read(connection: Connection) -> SpentToday:
            row = connection.execute(_sums(connection.dialect.name), columns).one()
            return SpentToday(_spent(row, "user"), _spent(row, "tenant"))

        return await self._database.read(read)


def add_spent(connection: Connection, principal: Principal, spent: Spent, now: datetime) -> None:
    """Add to what a person has used today."""
    columns = _columns(principal, now) | asdict(spent)
    connection.execute(_add(connection.dialect.name), columns)


def _columns(principal: Principal, now: datetime) -> dict[str, object]:
    return {"tenant_id": principal.tenant_id, "principal": principal.id, "now": now}


@cache
def _add(dialect: str) -> Executable:
    statement = upsert(dialect, SpendingRow).values(day=today(dialect))
    sums = {name: getattr(SpendingRow, name) + statement.excluded[name] for name in COUNTERS}
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "day", "principal"], set_=sums
    )


@cache
def _sums(dialect: str) -> Select[object]:
    is_user = SpendingRow.principal == bindparam("principal")
    columns = [(name, getattr(SpendingRow, name)) for name in COUNTERS]
    user = [
        func.sum(case((is_user, column), else_=0)).label(f"user_{name}") for name, column in columns
    ]
    tenant = [func.sum(column).label(f"tenant_{name}") for name, column in columns]
    return select(*user, *tenant).where(
        SpendingRow.tenant_id == bindparam("tenant_id"), SpendingRow.day == today(dialect)
    )


def _spent(row: Row[object], whose: str) -> Spent:
    found = row._asdict()
    # Postgres sums whole numbers to decimals; nothing at all sums to NULL.
    used = {name: found[f"{whose}_{name}"] or 0 for name in COUNTERS}
    return Spent(
        tool_calls=int(used["tool_calls"]),
        model_calls=int(used["model_calls"]),
        tokens=int(used["tokens"]),
        money=float(used["money"]),
        seconds=float(used["seconds"]),
    )
