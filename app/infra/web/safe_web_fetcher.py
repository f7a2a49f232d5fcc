"""Fetches public pages, and reaches nothing else whatever a name or a redirect says."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Self

import httpx

from app.infra.web.exchange import exchange, open_transport, read_body
from app.infra.web.page_text import is_readable, media_type_of, page_text
from app.infra.web.public_address import is_public
from app.infra.web.resolver import Resolve, SystemResolver
from app.infra.web.target import Target, is_allowed, is_literal, read_target
from core.ports.web import FetchFailed, FetchRefused, Page

SECONDS: Final = 10.0
BYTES: Final = 5_000_000
REDIRECTS: Final = 3

_REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})


class SafeWebFetcher:
    """See `WebFetcher`. A name is resolved once for each request, and the request goes there.

    resolve: where every name is looked up.
    transport: makes the connections. Hosts of the requests it gets are addresses that were
    checked, never names. No cookie, connection or credential is kept from one to the next.
    """

    def __init__(
        self,
        resolve: Resolve,
        transport: httpx.AsyncBaseTransport,
        close_resolver: Callable[[], None] = lambda: None,
    ) -> None:
        self._resolve = resolve
        self._transport = transport
        self._close_resolver = close_resolver

    @classmethod
    def open(cls) -> Self:
        """Return one that reaches the real web. Nothing is sent yet."""
        resolver = SystemResolver()
        return cls(resolver, open_transport(), resolver.close)

    async def close(self) -> None:
        """Drop what is under way."""
        self._close_resolver()
        await self._transport.aclose()

    async def fetch(self, url: str, *, allowed_hosts: Sequence[str] | None = None) -> Page:
        """See `WebFetcher`."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._follow(url.strip(), allowed_hosts)
        except TimeoutError:
            raise FetchFailed(f"The page took longer than {SECONDS:.0f} seconds.") from None

    async def _follow(self, url: str, allowed_hosts: Sequence[str] | None) -> Page:
        for hop in range(REDIRECTS + 1):
            try:
                target = read_target(url)
                addresses = await self._checked(target, allowed_hosts)
            except FetchRefused as refused:
                if hop == 0:
                    raise
                raise FetchRefused(f"The page redirects elsewhere. {refused}") from None
            async with exchange(self._transport, target, addresses) as response:
                onward = _redirect(target, response)
                if onward is None:
                    return await _read(target, response)
            url = onward
        raise FetchFailed(f"The page redirects more than {REDIRECTS} times.")

    async def _checked(self, target: Target, allowed_hosts: Sequence[str] | None) -> Sequence[str]:
        """Return the host's addresses. Raises `FetchRefused` if one of them is not public."""
        if allowed_hosts is not None and not is_allowed(target.host, allowed_hosts):
            raise FetchRefused(f"{target.host} is not among the hosts that may be fetched from.")
        is_address = is_literal(target.host)
        addresses = [target.host] if is_address else await self._resolve(target.host, target.port)
        if not addresses:
            raise FetchFailed(f"The name {target.host} has no address.")
        # All of them: a name with a public and a private address is up to something.
        if not all(map(is_public, addresses)):
            raise FetchRefused(f"{target.host} is not an address on the public internet.")
        return addresses


def _redirect(target: Target, response: httpx.Response) -> str | None:
    location = response.headers.get("location")
    if response.status_code not in _REDIRECT_STATUSES or not location:
        return None
    try:
        return str(target.url.join(location))
    except (httpx.InvalidURL, ValueError):
        raise FetchRefused("The page redirects to what is not a valid URL.") from None


async def _read(target: Target, response: httpx.Response) -> Page:
    content_type = response.headers.get("content-type", "")
    media_type = media_type_of(content_type)
    text, is_cut = "", False
    if is_readable(media_type):
        body, is_cut = await read_body(response, BYTES)
        text = await asyncio.to_thread(page_text, body, content_type)
    elif response.is_success and response.status_code != httpx.codes.NO_CONTENT:
        raise FetchFailed(
            f"It is {media_type or 'of no stated type'}: only text, HTML, JSON and XML are read."
        )
    return Page(str(target.url), response.status_code, media_type, text, is_cut)
