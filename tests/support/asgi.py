"""Calls an ASGI application without a server."""

from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Reply:
    """What an application answered."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything with 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answer_of(app: ASGIApp, method: str, headers: dict[str, str]) -> Reply:
    """Return the answer to one request without a body."""
    reply = Reply()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = Headers(raw=message["headers"])

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "headers": raw, "query_string": b""}
    await app(scope, receive, send)
    return reply
