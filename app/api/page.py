"""Serves the chat page, with a strict content security policy."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NOT_BUILT = "The page is not built yet: run `make run`, or `npm run build` in web/.\n"


class PageFiles(StaticFiles):
    """The built page. Names with a hash may be kept for ever, the rest is asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, with the policy's headers."""
        response = await super().get_response(path, scope)
        response.headers.update(PAGE_HEADERS)
        is_hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        )
        return response


def mount_page(app: FastAPI, folder: Path) -> None:
    """Serve the page at `/`, or a sentence that says how to build it. Comes after all routes."""
    if (folder / "index.html").is_file():
        app.mount("/", PageFiles(directory=folder, html=True), name="page")
        return

    @app.get("/", include_in_schema=False)
    async def not_built() -> PlainTextResponse:
        return PlainTextResponse(NOT_BUILT, status_code=503)
