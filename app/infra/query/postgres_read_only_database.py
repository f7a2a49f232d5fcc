"""Reads a Postgres database: one statement, in a transaction that can't write."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow

from app.infra.query.gathered import CELL_CHARS, GatheredRows
from app.infra.query.statement import first_word, read_statement
from core.errors import StorageUnavailable
from core.ports.query import QueryRefused, Rows

DESCRIBE_SECONDS: Final = 5.0
TABLES: Final = 100
CONNECTIONS: Final = 4
CONNECT_SECONDS: Final = 5
# For the way there and back, beside what the statement itself may take.
_GRACE_SECONDS: Final = 2.0

_TABLES_SQL: Final = (
    "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name,"
    " string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)"
    " FROM information_schema.columns"
    " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    " GROUP BY table_schema, table_name ORDER BY 1"
)
# Object ids of types whose text is read into a value: bool, whole numbers, floating point.
_BOOL: Final = 16
_WHOLE: Final = frozenset({20, 21, 23, 26})
_FLOATING: Final = frozenset({700, 701})


class PostgresReadOnlyDatabase:
    """See `ReadOnlyDatabase`. Each call has a connection of its own, at most 4 at once.

    What functions may do outside of the database's tables is for the role's rights to say; a
    superuser's are none, so it is refused.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._connections = asyncio.Semaphore(CONNECTIONS)

    async def describe(self) -> str:
        """See `ReadOnlyDatabase`."""
        rows = await self.query(_TABLES_SQL, row_limit=TABLES, seconds=DESCRIBE_SECONDS)
        return "\n".join(f"{name}({columns})" for name, columns in rows.rows)

    async def query(self, sql: str, *, row_limit: int, seconds: float) -> Rows:
        """See `ReadOnlyDatabase`. Cancelling cancels the statement."""
        sql = read_statement(sql)
        try:
            async with (
                asyncio.timeout(seconds + _GRACE_SECONDS),
                self._connections,
                self._reading(seconds) as connection,
            ):
                return await _rows(connection, sql, row_limit)
        except (TimeoutError, errors.QueryCanceled):
            raise QueryRefused("The statement took too long; it has to ask for less.") from None
        except psycopg.Error as error:
            raise _translated(error) from None

    async def close(self) -> None:
        """Nothing is kept."""

    @asynccontextmanager
    async def _reading(self, seconds: float) -> AsyncIterator[psycopg.AsyncConnection[TupleRow]]:
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
        try:
            if connection.pgconn.parameter_status(b"is_superuser") != b"off":
                raise QueryRefused(
                    "The database is set up with a role that may do anything: the operator has to"
                    " name one with few rights."
                )
            milliseconds = int(seconds * 1000)
            await connection.execute(
                "BEGIN TRANSACTION READ ONLY;"
                f" SET LOCAL statement_timeout = {milliseconds};"
                f" SET LOCAL lock_timeout = {milliseconds}".encode()
            )
            yield connection
        finally:
            # Closing undoes what was begun.
            await connection.close()


async def _rows(connection: psycopg.AsyncConnection[TupleRow], sql: str, row_limit: int) -> Rows:
    """Run the statement and gather its rows.

    All of it in the extended protocol, where the server takes one statement at a time: that is
    what `stream` and `binary` are for.
    """
    if first_word(sql) == "explain":
        return await _gather(connection, sql, ["plan"], [None], row_limit)
    # What the columns are is found out first, so that the server can cut long values: a row may
    # have a gigabyte.
    none = f"SELECT * FROM ({sql}\n) AS asked LIMIT 0"
    columns = (await connection.execute(none.encode(), binary=True)).description or []
    names = [f"c{number}" for number in range(len(columns))]
    cut = ", ".join(f"left({name}::text, {CELL_CHARS + 1})" for name in names)
    shortened = f"SELECT {cut} FROM ({sql}\n) AS asked({', '.join(names)}) LIMIT {row_limit + 1}"
    kinds = [column.type_code for column in columns]
    return await _gather(connection, shortened, [c.name for c in columns], kinds, row_limit)


async def _gather(
    connection: psycopg.AsyncConnection[TupleRow],
    sql: str,
    names: Sequence[str],
    kinds: Sequence[int | None],
    row_limit: int,
) -> Rows:
    gathered = GatheredRows(names, row_limit)
    # To the end, whether they are wanted or not: at most one is more than the limit.
    async for row in connection.cursor().stream(sql.encode()):
        gathered.take([_value(*cell) for cell in zip(row, kinds, strict=True)])
    return gathered.rows()


def _value(text: str | None, kind: int | None) -> object:
    """Return a value from its text; what has no such in JSON stays text."""
    if text is None or kind is None:
        return text
    if kind == _BOOL:
        return text == "true"
    if kind in _WHOLE:
        return int(text)
    if kind in _FLOATING:
        return float(text)
    return text


def _translated(error: psycopg.Error) -> Exception:
    if isinstance(error, errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege):
        return QueryRefused("Only reading is allowed, and not everything may be read.")
    state, words = error.sqlstate or "", error.diag.message_primary
    # Connection, resources, operator intervention and the system; or the driver, with no state.
    if not state or state[:2] in ("08", "28", "3D", "53", "57", "58", "XX"):
        return StorageUnavailable("The database for queries could not be reached.")
    return QueryRefused(f"The statement can't be run: {words}.")
