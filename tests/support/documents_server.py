"""The REST of documents over a real socket, with everything behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.api.collections import collection_routes
from app.api.documents import document_routes
from app.api.jobs import job_routes
from app.api.problems import install_problem_handlers
from app.api.search import search_routes
from app.infra.qdrant.edge_vector_store import EdgeVectorStore
from core.ids import JobId
from core.ports.compute import Compute
from tests.support.knowledge import (
    FILE_LIMIT_BYTES,
    KnowledgeRoom,
    knowledge_room,
)
from tests.support.served import serving

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class DocumentsClient:
    """A caller of the REST, with the few moves that tests repeat."""

    http: httpx.AsyncClient
    room: KnowledgeRoom

    async def upload(
        self, content: str | bytes, name: str = "note.txt", collection: str = "default"
    ) -> dict[str, Any]:
        """Upload a file and return the answer's body; it must be accepted."""
        answer = await self.http.post(
            "/documents", files={"file": (name, content)}, data={"collection": collection}
        )
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def finished(self, job_id: str) -> dict[str, Any]:
        """Return a job once it has ended."""
        await self.room.finished(JobId(job_id))
        return dict((await self.http.get(f"/jobs/{job_id}")).json())

    async def search(self, query: str, collection: str = "default") -> list[dict[str, Any]]:
        """Return the passages that were found."""
        answer = await self.http.post("/search", json={"query": query, "collection": collection})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["passages"])


@asynccontextmanager
async def documents_server(folder: Path, compute: Compute) -> AsyncIterator[DocumentsClient]:
    """Serve the REST on a free port, its jobs running, with Qdrant Edge and SQLite in `folder`."""
    vectors = EdgeVectorStore.open(folder / "vectors")
    try:
        async with (
            knowledge_room(folder, compute, vectors) as room,
            _running(room),
            serving(_app(room)) as url,
            httpx.AsyncClient(base_url=f"{url}{API}", trust_env=False) as http,
        ):
            yield DocumentsClient(http, room)
    finally:
        await vectors.close()


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, str]:
    """The answer is problem details with this status and code; return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["title"]
    return body


def _app(room: KnowledgeRoom) -> FastAPI:
    app = FastAPI(openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None)
    install_problem_handlers(app)
    for router in (
        collection_routes(room.library),
        document_routes(room.library, room.intake, FILE_LIMIT_BYTES),
        job_routes(room.jobs),
        search_routes(room.search),
    ):
        app.include_router(router, prefix=API)
    return app


@asynccontextmanager
async def _running(room: KnowledgeRoom) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.runner.run())
        yield
        task.cancel()
