"""Where a Redis server is, and how one is let in."""

import ssl
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.asyncio.connection import SSLConnection, parse_url

from core.errors import SettingsError


class Server(NamedTuple):
    """The place of one server: a host and a port, or the path of a unix socket."""

    host: str
    port: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What a server asks of those who come in, and whether the way there is encrypted."""

    username: str | None
    password: str | None
    database: int
    tls: ssl.SSLContext | None

    @property
    def credentials(self) -> tuple[str, ...]:
        """What follows `AUTH`; nothing where nobody is asked."""
        if not self.password:
            return ()
        return (self.username, self.password) if self.username else (self.password,)


def read_address(url: str) -> tuple[Server, Access]:
    """Return what a `redis://`, `rediss://` or `unix://` URL says. Raises `SettingsError`."""
    try:
        options = _options(url)
        is_secret = options.pop("connection_class", None) is SSLConnection
        tls = SSLConnection(**options).ssl_context.get() if is_secret else None
    except (ValueError, TypeError, OSError):
        # The URL may carry a password: it is not repeated.
        raise SettingsError("REDIS_URL is not the address of a Redis server.") from None
    server = Server(
        options.get("host", "localhost"), options.get("port", 6379), options.get("path", "")
    )
    access = Access(
        options.get("username"), options.get("password"), int(options.get("db") or 0), tls
    )
    return server, access


def _options(url: str) -> dict[str, Any]:
    return dict(parse_url(url))
