"""Reads from the database what became of the runs of a history; plain SQL, SQLite or Postgres."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import psycopg

from scripts.chaos.checker.transcript import Shown, Tool

Row = tuple[Any, ...]
Query = Callable[[str, str], list[Row]]

_RUNS = (
    "SELECT id, conversation_id, status, attempt, message_id, message, error_code FROM runs"
    " WHERE conversation_id = ? ORDER BY ordinal"
)
_MESSAGES = (
    "SELECT id, role, content, citations, tool_calls, run_id, position FROM messages"
    " WHERE conversation_id = ? ORDER BY position"
)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A row of `runs`."""

    id: str
    conversation_id: str
    status: str
    attempt: int
    message_id: str
    message: str
    error_code: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be said."""
        return self.status in ("done", "error", "cancelled")


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of `messages`."""

    shown: Shown
    run_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database says about the conversations of a history, each in its order."""

    runs: list[StoredRun]
    messages: dict[str, list[StoredMessage]]


def read_stored(database: str, conversations: Iterable[str]) -> Stored:
    """Return the rows. database: `postgresql://…`, or `sqlite:///path`, or a path."""
    runs: list[StoredRun] = []
    messages: dict[str, list[StoredMessage]] = {}
    with _opened(database) as query:
        for conversation in conversations:
            runs += [StoredRun(*row) for row in query(_RUNS, conversation)]
            messages[conversation] = [_message(row) for row in query(_MESSAGES, conversation)]
    return Stored(runs, messages)


@contextmanager
def _opened(database: str) -> Iterator[Query]:
    if database.startswith(("postgresql://", "postgres://")):
        with psycopg.connect(database, connect_timeout=10) as connection:
            # The statements are this module's own.
            yield lambda sql, key: connection.execute(sql.replace("?", "%s"), (key,)).fetchall()
        return
    path = unquote(database.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield lambda sql, key: connection.execute(sql, (key,)).fetchall()


def _message(row: Row) -> StoredMessage:
    key, role, content, citations, tool_calls, run_id, position = row
    tools = [
        Tool(call["id"], call["name"], call["arguments"], call["result"])
        for call in _json(tool_calls)
    ]
    return StoredMessage(Shown(key, role, content, _json(citations), tools), run_id, position)


def _json(value: Any) -> Any:
    # SQLite gives the text, psycopg the value.
    return json.loads(value) if isinstance(value, str) else value
