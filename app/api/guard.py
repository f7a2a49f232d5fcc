"""Refuses requests that another site's page makes a browser send, and names every request."""

from collections.abc import Sequence
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import Problem, problem_response
from core.loopback import is_loopback_host

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REQUEST_ID = "X-Request-ID"
REQUEST_ID_MAX = 128


class Guard:
    """Stands before the HTTP routes.

    In open development mode the server trusts whoever reaches it, and a web page of any site can
    make its visitor's browser reach it. So the name it is called by must be a loopback name
    (DNS rebinding), and what changes anything must come from our own page or an allowed origin.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get(REQUEST_ID, "")[:REQUEST_ID_MAX] or uuid4().hex

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        refusal = self._refusal(scope["method"], headers)
        if refusal is None:
            await self._app(scope, receive, named)
        else:
            problem = Problem(title="Forbidden", status=403, detail=refusal, code="forbidden")
            await problem_response(problem)(scope, receive, named)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not is_loopback_host(host):
            return "This server answers to a loopback name only while there is no sign-in."
        origin = headers.get("origin")
        if method in SAFE_METHODS or origin is None or origin in self._allowed_origins:
            return None
        if origin.partition("://")[2] == host:
            return None
        return "Another site's page may not do this."
