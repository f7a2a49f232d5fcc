"""Reads as much of a statement as tells whether it may be meant to read only."""

import re
from typing import Final

from core.ports.query import QueryRefused

SQL_LIMIT: Final = 10_000

# Comments, brackets and space may come first.
_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*+([a-z]+)", re.I | re.S)
_READING: Final = frozenset({"select", "with", "values", "explain"})


def first_word(sql: str) -> str:
    """Return a statement's first word in small letters; empty where there is none."""
    found = _FIRST_WORD.match(sql)
    return found[1].lower() if found else ""


def read_statement(sql: str) -> str:
    """Return a statement without the semicolon at its end.

    Raises `QueryRefused` for what can't be a query: for a clear answer, not for safety. That
    nothing is written, and that it is one statement, is the engine's to see to (a SELECT can
    write, and so can a WITH).
    """
    if len(sql) > SQL_LIMIT or "\0" in sql:
        raise QueryRefused(f"A statement has at most {SQL_LIMIT} characters, and none is zero.")
    if first_word(sql) not in _READING:
        raise QueryRefused("Only a SELECT, WITH, VALUES or EXPLAIN statement can be run.")
    return sql.rstrip().removesuffix(";")
