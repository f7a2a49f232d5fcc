"""What the client sends to a Qdrant server, and what it makes of a server that fails."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.infra.qdrant.qdrant_vector_store import QdrantVectorStore
from core.errors import StorageUnavailable
from core.ids import DocumentId
from tests.contract.test_vector_store import BOOKS, DIMENSION, US, point, vectors
from tests.support.served import serving

MINE = [
    {"key": "tenant", "match": {"value": "us"}},
    {"key": "collection", "match": {"value": "books"}},
]


class ScriptedQdrant:
    """Answers as a server does on which another node has just made the collection.

    seen: method, path with query, and body of every request.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        self._asked = 0
        self.app = Starlette(
            routes=[Route("/{path:path}", self._answer, methods=["GET", "PUT", "POST"])]
        )

    def bodies(self, method: str, path: str) -> list[Any]:
        """Return the bodies of the requests to a path."""
        return [body for verb, target, body in self.seen if (verb, target) == (method, path)]

    async def _answer(self, request: Request) -> Response:
        raw = await request.body()
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.seen.append((request.method, path, json.loads(raw) if raw else None))
        if path.endswith("/exists"):
            self._asked += 1
            return _result({"exists": self._asked > 1})
        if (request.method, path) == ("PUT", "/collections/colloquy"):
            return JSONResponse({"status": {"error": "already exists"}}, 409)
        if path.startswith("/collections/colloquy/points/query/batch"):
            return _result([{"points": []}, {"points": []}])
        if path.startswith("/collections/colloquy/points/count"):
            return _result({"count": 7})
        return _result({"operation_id": 1, "status": "completed"})


@pytest.fixture
def server() -> ScriptedQdrant:
    return ScriptedQdrant()


@pytest.fixture
async def store(server: ScriptedQdrant) -> AsyncIterator[QdrantVectorStore]:
    async with serving(server.app) as url:
        store = QdrantVectorStore.connect(url, "", DIMENSION)
        yield store
        await store.close()


async def test_the_collection_is_made_once_though_another_node_was_first(
    server: ScriptedQdrant, store: QdrantVectorStore
) -> None:
    async with asyncio.TaskGroup() as group:
        counts = [group.create_task(store.count(US, BOOKS)) for _ in range(5)]

    assert [task.result() for task in counts] == [7] * 5
    (made,) = server.bodies("PUT", "/collections/colloquy")
    assert made["vectors"] == {"dense": {"size": DIMENSION, "distance": "Cosine"}}
    assert made["sparse_vectors"] == {"sparse": {"modifier": "idf"}}
    indexes = server.bodies("PUT", "/collections/colloquy/index?wait=true")
    assert [index["field_name"] for index in indexes] == ["tenant", "collection", "document"]
    assert [index["field_schema"]["is_tenant"] for index in indexes] == [True, False, False]


async def test_every_request_names_its_tenant(
    server: ScriptedQdrant, store: QdrantVectorStore
) -> None:
    await store.count(US, BOOKS)
    await store.search(US, BOOKS, vectors(words={1: 1.0}), limit=3)
    await store.delete_document(US, DocumentId("book"))

    points = "/collections/colloquy/points"
    (counted,) = server.bodies("POST", f"{points}/count")
    assert counted["filter"]["must"] == MINE
    (asked,) = server.bodies("POST", f"{points}/query/batch")
    assert [search["filter"]["must"] for search in asked["searches"]] == [MINE, MINE]
    assert asked["searches"][1]["params"]["idf"]["corpus"]["must"] == MINE
    (deleted,) = server.bodies("POST", f"{points}/delete?wait=true")
    assert deleted["filter"]["must"] == [
        MINE[0],
        {"key": "document", "match": {"value": "book"}},
    ]


async def test_what_is_put_is_waited_for(server: ScriptedQdrant, store: QdrantVectorStore) -> None:
    await store.put([point() for _ in range(300)])

    writes = server.bodies("PUT", "/collections/colloquy/points?wait=true")
    assert sum(len(body["points"]) for body in writes) == 300


async def test_a_server_that_is_down_is_an_error_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    store = QdrantVectorStore.connect(f"http://127.0.0.1:{port}", "", DIMENSION)

    with pytest.raises(StorageUnavailable) as failure:
        await store.search(US, BOOKS, vectors(), limit=1)

    assert str(port) not in failure.value.message
    await store.close()


def _result(content: object) -> JSONResponse:
    return JSONResponse({"result": content, "status": "ok", "time": 0.0})
