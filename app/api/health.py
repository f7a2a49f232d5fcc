"""Says whether the process lives, whether it can serve, and what it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

CHECK_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a node depends on. A check returns, or raises whatever is wrong.

    is_draining: whether the node is about to stop and wants no more traffic.
    is_cut_off: whether it can't serve what other nodes can.
    """

    is_draining: Callable[[], bool]
    is_cut_off: Callable[[], bool]
    checks: Mapping[str, Callable[[], Awaitable[object]]]

    async def report(self) -> dict[str, str]:
        """Return `ok` or `failed` for each thing the node depends on."""
        states = {name: await self._state(name) for name in self.checks}
        return {"node": self._node(), **states}

    def _node(self) -> str:
        if self.is_draining():
            return "draining"
        return "cut off" if self.is_cut_off() else "ok"

    async def _state(self, name: str) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self.checks[name]()
        except Exception:
            # Whatever is wrong with it, the node is not ready; the log has the rest.
            log.exception("readiness.failed", check=name)
            return "failed"
        return "ok"


class ModelBody(BaseModel):
    """Who writes the answers. `extractive`: no language model is configured."""

    kind: str
    name: str


class LimitsBody(BaseModel):
    """What a client may send, in bytes."""

    upload_max_bytes: int
    frame_max_bytes: int


class ServerBody(BaseModel):
    """What this server is."""

    version: str
    model: ModelBody
    limits: LimitsBody


def health_routes(readiness: Readiness) -> APIRouter:
    """Return `/healthz` and `/readyz`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Answer 200 where everything it depends on works, else 503; either says what."""
        report = await readiness.report()
        is_ready = all(state == "ok" for state in report.values())
        return JSONResponse(report, status_code=200 if is_ready else 503)

    return router


def server_routes(server: ServerBody) -> APIRouter:
    """Return `/server`: what a page needs to know before it asks anything."""
    router = APIRouter(tags=["server"])

    @router.get("/server")
    async def get_server() -> ServerBody:
        """Return the version, the model and the limits."""
        return server

    return router
