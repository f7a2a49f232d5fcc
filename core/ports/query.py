"""The port to a database that tools may read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue


class QueryRefused(Exception):
    """The statement is not a single one that only reads, is wrong or slow; the message says why."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave. is_cut: there were more rows than the limits let through."""

    columns: Sequence[str]
    rows: Sequence[Sequence[JsonValue]]
    is_cut: bool


class ReadOnlyDatabase(Protocol):
    """A database that can only be read, whatever the statement says."""

    async def describe(self) -> str:
        """Return its tables and columns, a line each, for a model to read."""
        ...

    async def query(self, sql: str, *, row_limit: int, seconds: float) -> Rows:
        """Return the rows. Raises `QueryRefused`, and `StorageUnavailable`.

        seconds: after which the statement is interrupted, and refused. Long values are cut.
        """
        ...
