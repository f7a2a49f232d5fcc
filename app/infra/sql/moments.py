"""Says in SQL what time it is: the database's clock where nodes share it.

SQLite has one process, whose clock is given to each statement as `now`, and no leases: what
another process had is free.
"""

from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, bindparam, cast, func, null

from app.infra.sql.conversation_tables import RunRow
from app.infra.sql.utc_datetime import UtcDateTime

POSTGRES = "postgresql"


def moment(dialect: str) -> ColumnElement[datetime]:
    """Return the time of the statement. Takes `now` on SQLite."""
    if dialect == POSTGRES:
        return func.statement_timestamp(type_=UtcDateTime)
    return bindparam("now", type_=UtcDateTime)


def lease_end(dialect: str) -> ColumnElement[datetime]:
    """Return when a lease that begins now runs out. Takes `lease_seconds` on Postgres."""
    if dialect != POSTGRES:
        return cast(null(), UtcDateTime)
    seconds = func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lease_seconds"))
    # Not the time when the statement began: it may have waited for a lock.
    return func.clock_timestamp(type_=UtcDateTime) + seconds


def seconds_later(dialect: str) -> ColumnElement[datetime]:
    """Return the time in so many seconds. Takes `seconds` on Postgres, `until` on SQLite."""
    if dialect != POSTGRES:
        return bindparam("until", type_=UtcDateTime)
    return moment(dialect) + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds"))


def today(dialect: str) -> ColumnElement[date]:
    """Return the day in UTC. Takes `now` on SQLite."""
    if dialect == POSTGRES:
        return cast(func.timezone("UTC", moment(dialect)), Date)
    return func.date(moment(dialect), type_=Date)


def has_no_owner(dialect: str) -> ColumnElement[bool]:
    """Say that the owner of a run at work is gone. Takes `node` on SQLite."""
    if dialect == POSTGRES:
        # An index is of use for a time that is the same for all rows.
        return RunRow.lease_until <= moment(dialect)
    return RunRow.owner != bindparam("node")
