"""Gives the node's numbers to Prometheus."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import Response

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metric_routes(text: Callable[[], Awaitable[bytes]]) -> APIRouter:
    """Return `/metrics`. text: all numbers as they are now, in Prometheus' text format."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Return this node's numbers in Prometheus' text format."""
        return Response(await text(), media_type=MEDIA_TYPE)

    return router
