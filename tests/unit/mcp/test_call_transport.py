"""What a call over HTTP comes to when its server misbehaves."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from app.infra.mcp.call_transport import LOST, MESSAGE_BYTES, NOT_SENT, REFUSED, CallTransport

REQUEST = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}

Answer = Callable[[httpx.Request], httpx.Response]


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, and may break off after them."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error is not None:
            raise self._error


async def told(answer: Answer, message: object = REQUEST) -> str:
    """Return the body that the official client is given."""
    transport = CallTransport(httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.post("http://server/mcp", json=message)).text


def error_code(body: str) -> int:
    """Return the code of the error at the end of a body, which is the answer to the request."""
    message = json.loads(body.rpartition("data: ")[2] or body)
    assert message["id"] == 7
    return int(message["error"]["code"])


def raising(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def giving(
    status: int = 200,
    headers: dict[str, str] = JSON,
    *,
    text: str = "",
    stream: Pieces | None = None,
) -> Answer:
    body = stream or Pieces(text.encode())
    return lambda _: httpx.Response(status, headers=headers, stream=body)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (raising(httpx.ConnectError("no")), NOT_SENT),
        (raising(httpx.ConnectTimeout("no")), NOT_SENT),
        (raising(httpx.ReadTimeout("no")), LOST),
        (raising(httpx.RemoteProtocolError("no")), LOST),
        (giving(401), REFUSED),
        (giving(429), REFUSED),
        (giving(500), LOST),
        (giving(200, {"content-type": "text/html"}, text="<p>Welcome"), LOST),
        (giving(200, {**JSON, "content-encoding": "gzip"}, stream=Pieces(b"\x1f\x8b")), LOST),
        (giving(stream=Pieces(b"{", error=httpx.ReadError("gone"))), LOST),
        (giving(stream=Pieces(*[b" " * 2**20] * (MESSAGE_BYTES // 2**20 + 1))), LOST),
        (giving(200, SSE, stream=Pieces(b": ping\n\n")), LOST),
        (giving(200, SSE, stream=Pieces(b"data: {", error=httpx.ReadError("gone"))), LOST),
        (giving(200, SSE, stream=Pieces(*[b"x" * 2**20] * (MESSAGE_BYTES // 2**20 + 1))), LOST),
    ],
)
async def test_a_failure_is_the_answer_to_its_request_alone(answer: Answer, code: int) -> None:
    assert error_code(await told(answer)) == code


async def test_a_failure_to_tell_something_is_nothing() -> None:
    notification = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    transport = CallTransport(httpx.MockTransport(raising(httpx.ReadError("gone"))))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.post("http://server/mcp", json=notification)).status_code == 202


async def test_answers_come_as_they_were_sent() -> None:
    body = '{"jsonrpc":"2.0","id":7,"result":{}}'
    assert await told(giving(text=body)) == body
    assert (await told(giving(200, SSE, text=f"data: {body}\n\n"))).startswith(f"data: {body}\n\n")


async def test_many_events_may_be_longer_together_than_one() -> None:
    events = [b"data: " + b"x" * 2**20 + b"\n\n"] * (MESSAGE_BYTES // 2**20 + 2)
    body = await told(giving(200, SSE, stream=Pieces(*events)))
    assert body.startswith("data: x")
    assert len(body) > MESSAGE_BYTES


async def test_an_answer_that_can_be_resumed_is_left_to_the_client() -> None:
    body = await told(giving(200, SSE, stream=Pieces(b"id: 1\ndata: \n\n")))
    assert body == "id: 1\ndata: \n\n"
