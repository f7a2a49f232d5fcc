"""What the guard lets pass."""

import pytest

from app.api.guard import Guard
from tests.support.asgi import answer_of, echo


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"host": "localhost:8000"}, 200),
        ("GET", {"host": "rebound.example"}, 403),
        ("GET", {"host": "localhost:8000", "origin": "http://evil.example"}, 200),
        ("POST", {"host": "localhost:8000"}, 200),
        ("POST", {"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ("POST", {"host": "localhost:8000", "origin": "http://localhost:5173"}, 403),
        ("POST", {"host": "localhost:8000", "origin": "https://allowed.example"}, 200),
        ("DELETE", {"host": "localhost:8000", "origin": "null"}, 403),
    ],
)
async def test_another_sites_page_can_change_nothing(
    method: str, headers: dict[str, str], status: int
) -> None:
    guard = Guard(echo, ["https://allowed.example"])

    assert (await answer_of(guard, method, headers)).status == status


async def test_every_answer_names_its_request() -> None:
    guard = Guard(echo, [])

    given = await answer_of(guard, "GET", {"host": "localhost", "x-request-id": "mine"})
    made = await answer_of(guard, "GET", {"host": "localhost"})

    assert given.headers["x-request-id"] == "mine"
    assert made.headers["x-request-id"]
