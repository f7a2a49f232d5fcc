"""Reads an SQLite file: opened read only, and nothing but reading is authorised."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

from app.infra.query.gathered import GatheredRows
from app.infra.query.statement import SQL_LIMIT, read_statement
from core.errors import StorageUnavailable
from core.ports.query import QueryRefused, Rows

T = TypeVar("T")

DESCRIBE_SECONDS: Final = 5.0
TABLES: Final = 100
_THREADS: Final = 2
# A function that works on large text can't be interrupted, so text is kept small: bytes.
_VALUE_BYTES: Final = 2_000_000
_STEPS_BETWEEN_CHECKS: Final = 1_000
# After which the caller is answered though the engine is still in one of its functions.
_GRACE_SECONDS: Final = 1.0

_ACTIONS: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_UNSAFE_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer", "sqlite_log"})
# Full-text search asks for the first; the others describe a table.
_PRAGMAS: Final = frozenset({"data_version", "table_info", "table_xinfo", "foreign_key_list"})

_TABLES_SQL: Final = (
    "SELECT m.name, group_concat(c.name || ' ' || c.type, ', ') FROM sqlite_master AS m"
    " JOIN pragma_table_xinfo(m.name) AS c"
    " WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " GROUP BY m.name ORDER BY m.name"
)


class SqliteReadOnlyDatabase:
    """See `ReadOnlyDatabase`. Each call opens the file anew, in threads of this database's own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sql-tool")

    async def describe(self) -> str:
        """See `ReadOnlyDatabase`."""
        rows = await self.query(_TABLES_SQL, row_limit=TABLES, seconds=DESCRIBE_SECONDS)
        return "\n".join(f"{name}({columns})" for name, columns in rows.rows)

    async def query(self, sql: str, *, row_limit: int, seconds: float) -> Rows:
        """See `ReadOnlyDatabase`. Cancelling interrupts the statement."""
        sql = read_statement(sql)
        until = _Until(time.monotonic() + seconds, Event())

        def read() -> Rows:
            with _opened(self._path, until) as connection:
                cursor = connection.execute(sql)
                gathered = GatheredRows([name for name, *_ in cursor.description], row_limit)
                for row in cursor:
                    if not gathered.take(row):
                        break
                return gathered.rows()

        return await self._in_thread(read, until, seconds)

    async def close(self) -> None:
        """Take no more statements; does not wait for those under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, read: Callable[[], T], until: "_Until", seconds: float) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                return await loop.run_in_executor(self._threads, read)
        except TimeoutError:
            raise _took_too_long() from None
        finally:
            until.is_given_up.set()


@dataclass(frozen=True, slots=True)
class _Until:
    """How long a statement may run. deadline: of the monotonic clock."""

    deadline: float
    is_given_up: Event

    def is_over(self) -> bool:
        return self.is_given_up.is_set() or time.monotonic() > self.deadline


@contextmanager
def _opened(path: Path, until: _Until) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only read, until then. Translates what the engine raises."""
    left = max(0.0, until.deadline - time.monotonic())
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=left, uri=True)
    except sqlite3.Error:
        raise StorageUnavailable("The database for queries could not be opened.") from None
    try:
        _confine(connection, until)
        yield connection
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _translated(error, until) from None
    finally:
        connection.close()


def _confine(connection: sqlite3.Connection, until: _Until) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, SQL_LIMIT)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100)
    connection.text_factory = lambda data: data.decode(errors="replace")
    connection.set_progress_handler(until.is_over, _STEPS_BETWEEN_CHECKS)
    # From here on nothing can be attached, set or written, whatever the statement says.
    connection.set_authorizer(_authorise)


def _authorise(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _ACTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in _UNSAFE_FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
        return sqlite3.SQLITE_OK
    # Said of every virtual table when it is opened; nothing is written, and the engine refuses
    # statements that would.
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _translated(error: Exception, until: _Until) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT or until.is_over():
        return _took_too_long()
    if code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
        return QueryRefused("Only reading is allowed.")
    # None: the driver's own, about several statements; ERROR: about what the statement says.
    if code in (None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH):
        return QueryRefused(f"The statement can't be run: {error}.")
    return StorageUnavailable("The database for queries could not be read.")


def _took_too_long() -> QueryRefused:
    return QueryRefused("The statement took too long; it has to ask for less.")
