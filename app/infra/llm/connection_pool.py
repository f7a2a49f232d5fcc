"""Keeps the connections to one server open between requests."""

import asyncio
import ssl
from typing import Final

from app.infra.llm.endpoint import Endpoint
from app.infra.llm.http_connection import HttpConnection
from app.infra.llm.provider_faults import unreachable, untrusted

_IDLE_MAX: Final = 512


class ConnectionPool:
    """Opens connections when none is free; a request has its connection to itself.

    Free connections are used last in, first out, so that the rest may grow old and be closed by
    the server; more than 512 are not kept.
    """

    def __init__(self, endpoint: Endpoint, connect_seconds: float) -> None:
        self._endpoint = endpoint
        self._connect_seconds = connect_seconds
        self._free: list[HttpConnection] = []
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    async def take(self) -> HttpConnection:
        """Return a connection that nobody else uses: a free one, or as `connect`.

        It comes back by itself when its response is whole.
        """
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        return await self.connect()

    async def close(self) -> None:
        """Close the free connections; those in use close when they are done."""
        self._is_closed = True
        while self._free:
            self._free.pop().abort()

    async def connect(self) -> HttpConnection:
        """Return a new connection.

        Raises `ModelUnavailable` or `ModelRefused` where the server can't be reached or is not
        trusted.
        """
        endpoint = self._endpoint
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(self._release),
                    endpoint.host,
                    endpoint.port,
                    ssl=self._context() if endpoint.is_tls else None,
                )
        except ssl.SSLCertVerificationError:
            raise untrusted() from None
        except OSError:  # TimeoutError is one too
            raise unreachable() from None
        return connection

    def _release(self, connection: HttpConnection) -> None:
        if len(self._free) >= _IDLE_MAX:
            # Those that the server closed meanwhile are still among them.
            self._free = [free for free in self._free if free.is_open]
        if self._is_closed or len(self._free) >= _IDLE_MAX:
            connection.abort()
        else:
            self._free.append(connection)

    def _context(self) -> ssl.SSLContext:
        # Made when it is first needed: reading the machine's certificates takes 10 to 30 ms.
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls
