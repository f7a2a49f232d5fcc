"""Cuts a server-sent event stream into its events; pure, and indifferent to where reads end."""

from typing import Final

EVENT_MAX_BYTES: Final = 1 << 20


class EventTooLong(Exception):
    """The server sends an event without end."""


class EventStream:
    """Gives the data of each event, as the HTML standard's section on server-sent events says.

    Only the `data` field is kept: nobody who speaks the OpenAI protocol uses the others.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._ended_in_return = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the bytes of one read and return the data of every event they complete, in order.

        Raises `EventTooLong` where more than a mebibyte comes without an event's end.
        """
        if self._ended_in_return or b"\r" in data:
            data = self._with_newlines(data)
        if self._rest:
            data = self._rest + data
        whole, border, self._rest = data.rpartition(b"\n\n")
        if len(self._rest) > EVENT_MAX_BYTES:
            raise EventTooLong
        if not border:
            return []
        values: list[bytes] = []
        for event in whole.split(b"\n\n"):
            # Nearly every event is one line of data; this is on the path of every token.
            if event.startswith(b"data: ") and b"\n" not in event:
                values.append(event[6:])
            elif (value := _data_of(event)) is not None:
                values.append(value)
        return values

    def _with_newlines(self, data: bytes) -> bytes:
        # A line may end in CR LF, LF or CR; the two halves of the first may come in two reads.
        if self._ended_in_return and data.startswith(b"\n"):
            data = data[1:]
        self._ended_in_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(event: bytes) -> bytes | None:
    """Return the data of an event, its lines joined; None where it has none."""
    values = [value for line in event.split(b"\n") if (value := _value_of(line)) is not None]
    return b"\n".join(values) if values else None


def _value_of(line: bytes) -> bytes | None:
    if line.startswith(b"data: "):
        return line[6:]
    return line[5:] if line.startswith(b"data:") else None
