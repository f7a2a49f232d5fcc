"""AG-UI's official client runs conversations; it verifies the order of every event."""

from typing import Any

import pytest

from tests.support import official_client
from tests.support.colloquy import RunningServer


async def converse(server: RunningServer, *questions: str) -> dict[str, Any]:
    """Return what the client holds after these questions."""
    return await official_client.converse(f"{server.url}/api/v1/agui", *questions)


async def stored(server: RunningServer, conversation_id: str) -> list[dict[str, Any]]:
    """Return the transcript as the client's messages are."""
    async with server.client() as http:
        answer = await http.get(f"/api/v1/conversations/{conversation_id}/messages")
    return [
        {"id": one["id"], "role": one["role"], "content": one["content"]}
        for one in answer.raise_for_status().json()["messages"]
    ]


async def test_it_holds_what_is_stored_though_it_sends_its_history_each_time(
    server: RunningServer,
) -> None:
    held = await converse(server, "One [[tokens=5]]", "Two [[tokens=3 reasoning=2]]", "12 * 3?")

    assert held["outcomes"] == ["success", "success", "success"]
    shown = [one for one in held["messages"] if one["role"] in ("user", "assistant")]
    assert shown == await stored(server, held["threadId"])


@pytest.mark.parametrize(
    ("directive", "outcome"),
    [("status=401", "model_refused"), ("fault=truncate at=3", "model_unavailable")],
)
async def test_it_accepts_the_order_of_a_run_that_failed(
    server: RunningServer, directive: str, outcome: str
) -> None:
    held = await converse(server, f"Fail [[{directive}]]")

    # It reports the error's code, whatever it then throws itself.
    assert held["outcomes"][0] == outcome
