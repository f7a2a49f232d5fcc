"""Posts to the addresses that the operator named, and to no other."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final, Self
from urllib.parse import unquote

import httpx
from pydantic import JsonValue, SecretStr

from core.errors import SettingsError
from core.ports.web import FetchFailed

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 20.0
ANSWER_BYTES: Final = 4_096
# For what is left of an answer whose status is known.
_TEXT_SECONDS: Final = 3.0

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class ConfiguredWebhooks:
    """See `Webhooks`. An address may be private, for the operator chose it; redirects end there.

    addresses: where each name leads. They may carry secrets, so no message or log has them.
    """

    def __init__(
        self, addresses: Mapping[str, SecretStr], transport: httpx.AsyncBaseTransport
    ) -> None:
        self._addresses = dict(addresses)
        self._transport = transport

    @classmethod
    def open(cls, setting: str) -> Self:
        """Return those that WEBHOOKS names. Raises `SettingsError`."""
        # A kept connection that its server has closed meanwhile would look like a call whose
        # outcome is unknown.
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=0)
        transport = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        return cls(read_addresses(setting), transport)

    async def close(self) -> None:
        """Drop what is under way."""
        await self._transport.aclose()

    @property
    def names(self) -> Sequence[str]:
        """See `Webhooks`."""
        return tuple(self._addresses)

    async def send(self, name: str, body: JsonValue, headers: Mapping[str, str]) -> tuple[int, str]:
        """See `Webhooks`. The answer's text: the first 4 KB of it."""
        request = _request(self._addresses[name].get_secret_value(), body, headers)
        try:
            async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                response = await self._transport.handle_async_request(request)
        except _NOTHING_SENT:
            raise FetchFailed(f"The webhook {name} could not be reached.") from None
        except (httpx.HTTPError, TimeoutError):
            raise FetchFailed(
                f"The webhook {name} was sent its request and did not answer.",
                may_have_happened=True,
            ) from None
        try:
            return response.status_code, await _first_text(response)
        finally:
            await response.aclose()


def read_addresses(setting: str) -> dict[str, SecretStr]:
    """Return the addresses in `name=url,name=url`. A comma in a URL is written `%2C`.

    Raises `SettingsError`, which says of the URLs nothing.
    """
    addresses: dict[str, SecretStr] = {}
    for number, entry in enumerate(filter(None, map(str.strip, setting.split(","))), 1):
        name, mark, url = entry.partition("=")
        if not mark or not _NAME.fullmatch(name) or not _is_address(url):
            raise SettingsError(
                f"WEBHOOKS: entry {number} has to be like name=https://host/path; a name has small"
                " letters, digits, - and _, at most 32."
            )
        if name in addresses:
            raise SettingsError(f"WEBHOOKS: {name} is there twice.")
        addresses[name] = SecretStr(url)
    return addresses


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


def _request(address: str, body: JsonValue, headers: Mapping[str, str]) -> httpx.Request:
    url = httpx.URL(address)
    own = {"content-type": "application/json", "user-agent": "Colloquy", "connection": "close"}
    if url.userinfo:
        own["authorization"] = f"Basic {b64encode(unquote(url.userinfo).encode()).decode()}"
    waits = {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS}
    waits |= {"read": ANSWER_SECONDS, "write": ANSWER_SECONDS}
    return httpx.Request(
        "POST",
        url,
        # What is passed comes last, but can't speak for the operator.
        headers={**{name.lower(): value for name, value in headers.items()}, **own},
        content=json.dumps(body, ensure_ascii=False).encode(),
        extensions={"timeout": waits},
    )


async def _first_text(response: httpx.Response) -> str:
    """Return the first of the body; the status is there, so whatever goes wrong here is no harm."""
    text = bytearray()
    try:
        async with asyncio.timeout(_TEXT_SECONDS):
            async for piece in response.aiter_raw():
                text += piece
                if len(text) >= ANSWER_BYTES:
                    break
    except (httpx.HTTPError, TimeoutError):
        pass
    return bytes(text[:ANSWER_BYTES]).decode(errors="replace")
