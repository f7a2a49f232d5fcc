"""HTTP for MCP's client: a call that fails is an answer, so it takes no other call with it.

The official client ends its whole session when one request fails, and waits for ever where an
answer breaks off in the middle. Both become JSON-RPC errors here, with codes of our own.
"""

import json
from collections.abc import AsyncIterator
from typing import Final

import httpx

NOT_SENT: Final = -32090
"""The server was not reached: nothing has happened."""

REFUSED: Final = -32091
"""The server would not have the request: nothing has happened."""

LOST: Final = -32092
"""The request was sent, and its answer is missing: it may have been carried out."""

MESSAGE_BYTES: Final = 8 * 1024 * 1024
"""Largest message from a server."""

CONNECT_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 2.0

_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def call_client(headers: dict[str, str], answer_seconds: float) -> httpx.AsyncClient:
    """Return a client for one server, without proxies, cookies or passwords of the environment.

    answer_seconds: how long an answer may pause.
    """
    # A kept connection that its server has closed meanwhile would look like a call whose outcome
    # is unknown. A compressed answer could not be measured while it arrives.
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
    inner = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
    return httpx.AsyncClient(
        headers={**headers, "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
        transport=CallTransport(inner),
        trust_env=False,
    )


class CallTransport(httpx.AsyncBaseTransport):
    """Carries JSON-RPC messages; see the module."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def aclose(self) -> None:
        """Drop what is under way."""
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a message, open the stream of what a server says by itself, or say goodbye."""
        if request.method == "POST":
            return await self._post(request)
        if request.method == "DELETE":
            return await self._say_goodbye(request)
        # A server may have nothing to say for hours.
        _limit(request, httpx.Timeout(CONNECT_SECONDS, read=None))
        return _streaming(await self._inner.handle_async_request(request), None)

    async def _say_goodbye(self, request: httpx.Request) -> httpx.Response:
        _limit(request, httpx.Timeout(GOODBYE_SECONDS))
        try:
            response = await self._inner.handle_async_request(request)
            await response.aclose()
        except httpx.TransportError:
            pass
        # Whatever it says, and whether it is there at all, does not matter any more.
        return httpx.Response(204)

    async def _post(self, request: httpx.Request) -> httpx.Response:
        number = _number(request.content)
        try:
            response = await self._inner.handle_async_request(request)
        except _NOTHING_SENT:
            return _failure(number, NOT_SENT, "The server can't be reached.")
        except httpx.TransportError:
            return _failure(number, LOST, "The connection broke off.")
        try:
            return await _answer(response, number)
        except httpx.TransportError:
            await response.aclose()
            return _failure(number, LOST, "The answer broke off, or was too long.")


async def _answer(response: httpx.Response, number: int | None) -> httpx.Response:
    status = response.status_code
    if status >= 400 and status != 404:
        await response.aclose()
        code = REFUSED if status < 500 else LOST
        return _failure(number, code, f"The server answered with status {status}.")
    if status != 200 or number is None:
        # Accepted, a session that is no more, or another address: the client knows what to do.
        return response
    kind = response.headers.get("content-type", "").lower()
    if response.headers.get("content-encoding", "identity") == "identity":
        if kind.startswith("text/event-stream"):
            return _streaming(response, number)
        if kind.startswith("application/json"):
            content = b"".join([chunk async for chunk in _measured(response)])
            await response.aclose()
            headers = [(n, v) for n, v in response.headers.raw if n.lower() != b"content-length"]
            return httpx.Response(200, headers=headers, content=content)
    await response.aclose()
    return _failure(number, LOST, "The answer is in no form that was asked for.")


async def _measured(response: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > MESSAGE_BYTES:
            raise httpx.RemoteProtocolError("The message is too long.")
        yield chunk


def _streaming(response: httpx.Response, number: int | None) -> httpx.Response:
    events = _Events(response, number)
    return httpx.Response(response.status_code, headers=response.headers.raw, stream=events)


class _Events(httpx.AsyncByteStream):
    """Server-sent events, each of bounded size; one that says the call is lost at an early end.

    number: of the request that they answer; None: of none.
    """

    def __init__(self, response: httpx.Response, number: int | None) -> None:
        self._response = response
        self._number = number

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, end = 0, b""
        can_be_resumed = False
        try:
            async for chunk in self._response.aiter_raw():
                seen = end + chunk
                border = max(seen.rfind(b"\n\n"), seen.rfind(b"\r\n\r\n"))
                size = size + len(chunk) if border < 0 else len(seen) - border
                if size > MESSAGE_BYTES:
                    raise httpx.RemoteProtocolError("The message is too long.")
                can_be_resumed |= b"\nid:" in b"\n" + seen
                end = seen[-3:]
                yield chunk
        except httpx.TransportError:
            if self._number is None:
                raise
        # A client that has its answer does not read so far.
        if self._number is not None and not can_be_resumed:
            error = _error(self._number, LOST, "The answer broke off.")
            yield b"\n\nevent: message\ndata: " + json.dumps(error).encode() + b"\n\n"

    async def aclose(self) -> None:
        """Read no more."""
        await self._response.aclose()


def _limit(request: httpx.Request, timeout: httpx.Timeout) -> None:
    request.extensions = {**request.extensions, "timeout": timeout.as_dict()}


def _number(content: bytes) -> int | None:
    """Return the number of a request; None of what wants no answer."""
    message = json.loads(content)
    return message.get("id") if "method" in message else None


def _failure(number: int | None, code: int, message: str) -> httpx.Response:
    if number is None:
        return httpx.Response(202)
    return httpx.Response(200, json=_error(number, code, message))


def _error(number: int, code: int, message: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
