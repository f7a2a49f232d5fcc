"""The HTTP interface is the one that `docs/openapi.json` shows."""

import asyncio
import json

import pytest

from scripts.write_openapi import PATH, openapi_text


@pytest.fixture(scope="module")
def served() -> str:
    """What the server says of itself."""
    return asyncio.run(openapi_text())


def test_the_document_has_not_drifted(served: str) -> None:
    assert PATH.read_text(encoding="utf-8") == served, "run `make docs`"


def test_the_document_is_openapi_3_1_and_names_no_server(served: str) -> None:
    document = json.loads(served)
    assert document["openapi"].startswith("3.1.")
    assert "servers" not in document


def test_every_route_is_described(served: str) -> None:
    operations = [
        (path, method, operation)
        for path, methods in json.loads(served)["paths"].items()
        for method, operation in methods.items()
    ]
    assert ("/api/v1/documents", "post") in {(path, method) for path, method, _ in operations}
    assert [path for path, _, operation in operations if not operation.get("description")] == []
