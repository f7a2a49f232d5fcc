"""Decides who may open a socket at all, before it is accepted."""

from collections.abc import Collection, Iterable
from enum import IntEnum

from core.loopback import is_loopback_host

PATH = "/ws"


class Refusal(IntEnum):
    """The HTTP status with which a handshake is refused."""

    FORBIDDEN = 403
    NOT_FOUND = 404
    UNAVAILABLE = 503


def refuse_handshake(
    path: str,
    scheme: str,
    headers: Iterable[tuple[bytes, bytes]],
    allowed_origins: Collection[str],
) -> Refusal | None:
    """Return why a handshake is refused, None where it may go on.

    scheme: `ws` or `wss`.
    allowed_origins: beside the server's own; compared to the letter.
    """
    if path != PATH:
        return Refusal.NOT_FOUND
    given = list(headers)
    hosts, origins = _values(given, b"host"), _values(given, b"origin")
    if not all(is_loopback_host(host) for host in hosts):
        # A name of another site that was made to point here (DNS rebinding): its page would
        # seem to be ours. While there is no sign-in, only this machine's own names are answered.
        return Refusal.FORBIDDEN
    if not origins:
        # No browser: it carries nobody's cookies, and its ticket or token speaks for itself.
        return None
    if len(origins) == 1 and (origins[0] in allowed_origins or _is_own(origins[0], scheme, hosts)):
        return None
    return Refusal.FORBIDDEN


def _is_own(origin: str, scheme: str, hosts: list[str]) -> bool:
    """Return whether the page came from this server.

    An encrypted page may come through a proxy that ends the encryption; a plain one on an
    encrypted socket is somebody in between.
    """
    page_scheme, _, page_host = origin.partition("://")
    is_safe = page_scheme == "https" or (page_scheme == "http" and scheme == "ws")
    return is_safe and hosts == [page_host]


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]
