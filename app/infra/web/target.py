"""Reads a URL once, and strictly: what it leads to is decided here and nowhere else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import httpx

from core.ports.web import FetchRefused

PORTS: Final = {"http": 80, "https": 443}
URL_LIMIT: Final = 2_048

_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]|\s")
_AUTHORITY = re.compile(r"[^:/?#]+://([^/?#]*)")
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:[0-9]*)?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
# A host whose last part is a number is an IPv4 address to everybody who reads URLs.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads.

    host: a name in lower case, ASCII, without a dot at its end, or an address without brackets.
    """

    url: httpx.URL
    host: str
    port: int

    @property
    def host_header(self) -> str:
        """What the server is told about whom the request is for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.url.scheme] else f"{host}:{self.port}"


def read_target(url: str) -> Target:
    """Return where a URL leads. Raises `FetchRefused` with what is wrong with it."""
    if len(url) > URL_LIMIT:
        raise FetchRefused(f"The URL is longer than {URL_LIMIT} characters.")
    # Parsers disagree about these, and about whose the name before an @ is.
    authority = _AUTHORITY.match(url)
    if _UNSAFE.search(url) or authority is None:
        raise FetchRefused("That is not a whole URL, like https://example.org/page.")
    if "@" in authority[1]:
        raise FetchRefused("A URL with a user or password in it is not fetched.")
    if not _HOST_AND_PORT.fullmatch(authority[1]):
        raise FetchRefused("The URL has no valid host and port.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise FetchRefused("That is not a valid URL.") from None
    if parsed.scheme not in PORTS:
        raise FetchRefused("Only http and https are fetched.")
    port = PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if port not in PORTS.values():
        raise FetchRefused("Only the ports 80 and 443 are fetched from.")
    return Target(parsed, read_host(parsed), port)


def read_host(url: httpx.URL) -> str:
    """Return the host of a URL as `Target` has it. Raises `FetchRefused`."""
    host = url.raw_host.decode("ascii")
    if ":" in host:
        # The parser has let nothing but an IPv6 address through; it may have a zone.
        if "%" in host:
            raise FetchRefused("An address with a zone is not fetched.")
        return host
    host = host.removesuffix(".")
    if not _NAME.fullmatch(host):
        raise FetchRefused("The URL has no valid host name.")
    if _NUMERIC.fullmatch(host) and not is_literal(host):
        raise FetchRefused("An address is fetched from in its usual form only, like 1.2.3.4.")
    return host


def is_literal(host: str) -> bool:
    """Return whether a host, as `Target` has it, is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_allowed(host: str, allowed_hosts: Sequence[str]) -> bool:
    """Return whether a host is one of those, or a subdomain of one."""
    names = [_allowed_name(allowed) for allowed in allowed_hosts]
    return any(name and (host == name or host.endswith(f".{name}")) for name in names)


def _allowed_name(name: str) -> str:
    """Return a name of an allow list as `Target` has it, empty where it is none."""
    try:
        return read_host(httpx.URL(f"http://{name.strip().removeprefix('*').removeprefix('.')}/"))
    except (httpx.InvalidURL, ValueError, FetchRefused):
        return ""
