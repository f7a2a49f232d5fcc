"""Writes down what clients sent and received, and reads it back.

One JSON object a line, in the order of writing:

    {"t": 12.345678, "kind": "received", "client": "c1", "connection": 4, "frame": {…}}

kind: `opened` (with `url`), `sent`, `received`, `closed` (with `code`) of a connection; `left`,
where nothing more is to be expected of a client; `fault` (with `name`, `what`, `runs`: those it
hit), `note`.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TextIO

Json = dict[str, Any]
Kind = Literal["opened", "sent", "received", "closed", "left", "fault", "note"]


@dataclass(frozen=True, slots=True)
class Record:
    """One line.

    t: seconds of the monotonic clock, which all processes of a machine share.
    connection: counts over the whole history; 0 where the record is of none.
    facts: whatever else the line says.
    """

    t: float
    kind: Kind
    client: str = ""
    connection: int = 0
    frame: Json = field(default_factory=dict)
    facts: Json = field(default_factory=dict)


class HistoryWriter:
    """Appends records to a file. A frame goes in as the text it came as: nothing is parsed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1 << 16)
        self._connections = 0

    def opened(self, client: str, url: str) -> int:
        """Write down a new connection and return its number."""
        self._connections += 1
        self._write("opened", client, self._connections, f', "url": {json.dumps(url)}')
        return self._connections

    def sent(self, client: str, connection: int, text: str) -> None:
        """Write down a frame on its way to the server."""
        self._write("sent", client, connection, f', "frame": {text}')

    def received(self, client: str, connection: int, text: str) -> None:
        """Write down a frame from the server."""
        self._write("received", client, connection, f', "frame": {text}')

    def closed(self, client: str, connection: int, code: int) -> None:
        """Write down the end of a connection."""
        self._write("closed", client, connection, f', "code": {code}')

    def left(self, client: str) -> None:
        """Write down that a client went away for good, not having seen everything."""
        self._write("left", client, 0, "")

    def fault(self, name: str, what: str, runs: Sequence[str] = ()) -> None:
        """Write down what the nemesis does, and which runs it hits."""
        self._write(
            "fault", "", 0, f", {json.dumps({'name': name, 'what': what, 'runs': runs})[1:-1]}"
        )

    def note(self, text: str) -> None:
        """Write down something for whoever reads the file."""
        self._write("note", "", 0, f', "text": {json.dumps(text)}')

    def flush(self) -> None:
        """Bring all that was written into the file."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(self, kind: Kind, client: str, connection: int, rest: str) -> None:
        self._file.write(
            f'{{"t": {time.monotonic():.6f}, "kind": "{kind}", "client": "{client}", '
            f'"connection": {connection}{rest}}}\n'
        )


def read_history(path: Path) -> Iterator[Record]:
    """Yield the records of a file in their order."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield record_of(json.loads(line))


def record_of(values: Json) -> Record:
    """Return the record that a line's object stands for; the object is used up."""
    return Record(
        values.pop("t"),
        values.pop("kind"),
        values.pop("client", ""),
        values.pop("connection", 0),
        values.pop("frame", {}),
        values,
    )
