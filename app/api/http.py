"""Puts the HTTP front door together."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI

from app.api.guard import Guard
from app.api.page import mount_page
from app.api.problems import install_problem_handlers

API = "/api/v1"
DESCRIPTION = "An open multi-agent chat backend whose conversations survive anything."


def create_http(
    version: str,
    routers: Sequence[APIRouter],
    health: APIRouter,
    page: Path,
    allowed_origins: Sequence[str],
) -> FastAPI:
    """Return the HTTP application: health, everything under `/api/v1`, and the page."""
    app = FastAPI(
        title="Colloquy",
        version=version,
        description=DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        # The interactive pages load scripts from elsewhere, which ours never does.
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)
    app.include_router(health)
    for router in routers:
        app.include_router(router, prefix=API)
    mount_page(app, page)
    app.add_middleware(Guard, allowed_origins=tuple(allowed_origins))
    return app
