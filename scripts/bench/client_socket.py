"""A WebSocket client that costs as little as one can in Python: no masks, no copies, no tasks."""

import asyncio
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA

OnText = Callable[[bytes, int], None]
OnLost = Callable[[str], None]


class ClientSocket(asyncio.Protocol):
    """One socket; `on_text` gets each text frame and when it was read (monotonic nanoseconds).

    on_lost: called once with the reason, when the connection is gone.

    It understands what our servers send: whole, unmasked frames.
    """

    def __init__(self, request: bytes, on_text: OnText, on_lost: OnLost) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._on_text = on_text
        self._on_lost = on_lost
        self._rest = b""
        self._reason = "the server hung up"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the owner."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the handshake failed"))
        self._on_lost(self._reason)

    def data_received(self, data: bytes) -> None:
        """Take one read apart."""
        received_ns = time.monotonic_ns()
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            data = self._shake_hands(data)
        self._rest = self._take_frames(data, received_ns)

    def send_text(self, text: str) -> None:
        """Send one text frame, of 64 KiB at most."""
        self._write_frame(_TEXT, text.encode())

    def close(self) -> None:
        """Hang up without ceremony."""
        self._transport.abort()

    def _write_frame(self, opcode: int, payload: bytes) -> None:
        if len(payload) < 126:
            head = bytes((0x80 | opcode, 0x80 | len(payload)))
        else:
            head = bytes((0x80 | opcode, 0x80 | 126)) + len(payload).to_bytes(2, "big")
        # A mask of zeros leaves the payload as it is; the protocol allows it.
        self._transport.write(head + b"\0\0\0\0" + payload)

    def _shake_hands(self, data: bytes) -> bytes:
        head, border, rest = data.partition(b"\r\n\r\n")
        if not border:
            return data
        if b" 101 " not in head.split(b"\r\n")[0]:
            self._transport.abort()
            return b""
        self.opened.set_result(None)
        return rest

    def _take_frames(self, data: bytes, received_ns: int) -> bytes:
        """Hand on the frames that are whole and return the rest."""
        if not self.opened.done():
            return data
        start = 0
        while (border := _payload(data, start)) is not None:
            begin, end = border
            opcode = data[start] & 0x0F
            if opcode == _TEXT:
                self._on_text(data[begin:end], received_ns)
            elif opcode == _PING:
                self._write_frame(_PONG, data[begin:end])
            elif opcode == _CLOSE:
                code = int.from_bytes(data[begin : begin + 2], "big")
                self._reason = f"closed with {code} {data[begin + 2 : end].decode()}"
                self._transport.abort()
            start = end
        return data[start:]


def _payload(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `start` begins and ends; None if it is not whole."""
    size = len(data)
    if size < start + 2:
        return None
    length, begin = data[start + 1], start + 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        length, begin = int.from_bytes(data[begin : begin + wide], "big"), begin + wide
    end = begin + length
    return (begin, end) if begin <= size and end <= size else None


async def open_socket(url: str, on_text: OnText, on_lost: OnLost) -> ClientSocket:
    """Connect, upgrade and return the socket."""
    parts = urlsplit(url)
    request = _HANDSHAKE.format(path=parts.path, host=parts.netloc).encode()
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: ClientSocket(request, on_text, on_lost), parts.hostname or "", parts.port or 80
    )
    await client.opened
    return client
