"""A transport that goes nowhere."""

import asyncio


class FakeTransport(asyncio.Transport):
    """Keeps what is written; `is_closing` after `close` or `abort`."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the bytes."""
        self.written += data

    def is_closing(self) -> bool:
        """Say whether it was closed."""
        return self._closing

    def close(self) -> None:
        """Close it."""
        self._closing = True

    def abort(self) -> None:
        """Close it."""
        self._closing = True
