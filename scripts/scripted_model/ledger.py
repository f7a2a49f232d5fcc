"""Keeps what was asked of the stand-in and how each request ended."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_KEPT = 1000


@dataclass(slots=True)
class Entry:
    """One request.

    number: from 1, in the order of arrival.
    connection: which connection it came on, from 1.
    outcome: None while it runs; `complete`, or `left`: the client went away before the end.
    """

    number: int
    connection: int
    path: str
    authorization: str
    body: str
    outcome: str | None = None
    waiting: list[Callable[["Entry"], None]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return what `GET /requests` shows."""
        return {
            "number": self.number,
            "connection": self.connection,
            "path": self.path,
            "authorization": self.authorization,
            "body": self.body,
            "outcome": self.outcome,
        }


class Ledger:
    """The last thousand requests, and how often each message was met with a fault."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._count = 0
        self._connections = 0
        self._faults: Counter[str] = Counter()

    def connected(self) -> int:
        """Return the number of a new connection."""
        self._connections += 1
        return self._connections

    def opened(self, connection: int, path: str, authorization: str, body: bytes) -> Entry:
        """Write a request down."""
        self._count += 1
        text = body.decode(errors="replace")
        entry = Entry(self._count, connection, path, authorization, text)
        self._entries[self._count] = entry
        if len(self._entries) > _KEPT:
            self._entries.popitem(last=False)
        return entry

    def ended(self, entry: Entry, outcome: str) -> None:
        """Write down how a request ended and tell those who wait for it; the first word counts."""
        if entry.outcome is not None:
            return
        entry.outcome = outcome
        for tell in entry.waiting:
            tell(entry)
        entry.waiting.clear()

    def fails_again(self, message: str, failures: int) -> bool:
        """Say whether this message is to be met with its fault once more, and count it."""
        self._faults[message] += 1
        return failures < 0 or self._faults[message] <= failures

    def entry(self, number: int) -> Entry | None:
        """Return a request by its number."""
        return self._entries.get(number)

    def entries(self) -> list[Entry]:
        """Return the requests in the order of arrival."""
        return list(self._entries.values())
