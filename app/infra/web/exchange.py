"""One request for a page to one address, and its answer within limits."""

import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx

from app.infra.web.target import Target
from core.ports.web import FetchFailed

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0
# Each was checked; one that does not answer is no reason to give up on the others.
_ADDRESSES_TRIED: Final = 3
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_HEADERS: Final = {
    "user-agent": "Colloquy",
    "accept": "text/html, text/plain, application/json, application/xml;q=0.9, text/*;q=0.8",
    "accept-encoding": "gzip",
    # The next request may be for another name at the same address.
    "connection": "close",
}


def open_transport() -> httpx.AsyncHTTPTransport:
    """Return what makes the connections: no proxy, no connection kept, HTTP/1.1."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(trust_env=False, limits=limits)


@asynccontextmanager
async def exchange(
    transport: httpx.AsyncBaseTransport, target: Target, addresses: Sequence[str]
) -> AsyncIterator[httpx.Response]:
    """Ask one of the addresses for the page, and give the response with its body unread.

    addresses: those of the target's host, checked; no name is looked up any more. Raises
    `FetchFailed`, in the body too.
    """
    try:
        response = await _first_that_answers(transport, target, addresses)
        try:
            yield response
        finally:
            await response.aclose()
    except httpx.TimeoutException:
        raise FetchFailed(f"{target.host} did not answer in time.") from None
    except httpx.ConnectError:
        raise FetchFailed(f"{target.host} could not be reached.") from None
    except httpx.HTTPError:
        raise FetchFailed(f"{target.host} broke off, or does not speak HTTP.") from None


async def read_body(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes, unpacked, and whether there was more.

    A packed body is unpacked only as far as the limit. Raises `FetchFailed`.
    """
    unpack = _unpacker(response.headers.get("content-encoding", ""))
    body = bytearray()
    async for piece in response.aiter_raw():
        # One more than may be kept tells that there is more.
        room = limit + 1 - len(body)
        body += unpack.decompress(piece, room) if unpack else piece[:room]
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False


async def _first_that_answers(
    transport: httpx.AsyncBaseTransport, target: Target, addresses: Sequence[str]
) -> httpx.Response:
    *others, last = addresses[:_ADDRESSES_TRIED]
    for address in others:
        try:
            return await transport.handle_async_request(_request(target, address))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await transport.handle_async_request(_request(target, last))


def _request(target: Target, address: str) -> httpx.Request:
    """Return the request with the address in the place of the name.

    The server, and TLS, hear the name all the same.
    """
    return httpx.Request(
        "GET",
        target.url.copy_with(host=address, fragment=None),
        headers={"host": target.host_header, **_HEADERS},
        extensions={
            "sni_hostname": target.host,
            "timeout": {
                "connect": CONNECT_SECONDS,
                "read": READ_SECONDS,
                "write": READ_SECONDS,
                "pool": READ_SECONDS,
            },
        },
    )


class _Unpacker:
    """Unpacks gzip and zlib; what is not either is the server's mistake."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)

    def decompress(self, piece: bytes, room: int) -> bytes:
        """Return at most `room` bytes, which has to be above zero. Raises `FetchFailed`."""
        try:
            return self._stream.decompress(piece, room)
        except zlib.error:
            raise FetchFailed("The page is damaged: it can't be unpacked.") from None


def _unpacker(encoding: str) -> _Unpacker | None:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Unpacker()
    raise FetchFailed("The page is packed in a way that is not supported.")
