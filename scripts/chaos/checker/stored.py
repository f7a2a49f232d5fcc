"""Reads from the database what became of the runs of a history; plain SQL, SQLite or Postgres."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import psycopg

from scripts.chaos.checker.transcript import Shown, Tool

Row = tuple[Any, ...]
Query = Callable[[str, str], list[Row]]

_RUNS = (
    "SELECT id, conversation_id, status, attempt, message_id, message, error_code, root_id, asks"
    " FROM runs WHERE conversation_id = ? ORDER BY ordinal"
)
_MESSAGES = (
    "SELECT id, role, content, citations, tool_calls, run_id, position FROM messages"
    " WHERE conversation_id = ? ORDER BY position"
)
_QUESTIONS = (
    "SELECT id, conversation_id, call_id, kind, decision, answered_by_run FROM asks"
    " WHERE conversation_id = ? ORDER BY ordinal"
)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A row of `runs`.

    root_id: the run that it continues, empty where it continues none.
    asks: the ids of the questions it ended with.
    """

    id: str
    conversation_id: str
    status: str
    attempt: int
    message_id: str
    message: str
    error_code: str | None = None
    root_id: str = ""
    asks: Sequence[str] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be said."""
        return self.status in ("done", "error", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of `messages`."""

    shown: Shown
    run_id: str
    position: int


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A row of `asks`: a question to the person about a call, and the answer, if there is one."""

    id: str
    conversation_id: str
    call: str
    kind: str
    decision: str | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database says about the conversations of a history, each in its order."""

    runs: list[StoredRun]
    messages: dict[str, list[StoredMessage]]
    questions: list[StoredQuestion] = field(default_factory=list)


def read_stored(database: str, conversations: Iterable[str]) -> Stored:
    """Return the rows. database: `postgresql://…`, or `sqlite:///path`, or a path."""
    runs: list[StoredRun] = []
    messages: dict[str, list[StoredMessage]] = {}
    questions: list[StoredQuestion] = []
    with _opened(database) as query:
        for conversation in conversations:
            runs += [_run(row) for row in query(_RUNS, conversation)]
            questions += [StoredQuestion(*row) for row in query(_QUESTIONS, conversation)]
            messages[conversation] = [_message(row) for row in query(_MESSAGES, conversation)]
    return Stored(runs, messages, questions)


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


def _run(row: Row) -> StoredRun:
    run = StoredRun(*row)
    return replace(run, asks=_json(run.asks))


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
