"""How the frames of the server look on the wire."""

import json

import pytest

from app.infra.websocket.frames import (
    Accepted,
    Beat,
    ControlFrame,
    Error,
    GoingAway,
    Limits,
    Ok,
    Pong,
    Subscribed,
    Welcome,
    encode,
)

ID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        (
            Welcome(
                id="1",
                node="n",
                connection_id="c",
                principal="local",
                beat_seconds=2,
                limits=Limits(frame_max_bytes=65536, subscriptions=64),
            ),
            {
                "type": "welcome",
                "id": "1",
                "node": "n",
                "connection_id": "c",
                "principal": "local",
                "beat_seconds": 2,
                "limits": {"frame_max_bytes": 65536, "subscriptions": 64},
            },
        ),
        (
            Subscribed(id="1", conversation_id=ID, epoch="e", sequence=3, recovered=True),
            {
                "type": "subscribed",
                "id": "1",
                "conversation_id": ID,
                "epoch": "e",
                "sequence": 3,
                "recovered": True,
            },
        ),
        (Ok(id="1"), {"type": "ok", "id": "1"}),
        (
            Accepted(id="1", run_id=ID, conversation_id=ID, duplicate=False),
            {
                "type": "accepted",
                "id": "1",
                "run_id": ID,
                "conversation_id": ID,
                "duplicate": False,
            },
        ),
        (Pong(id="1"), {"type": "pong", "id": "1"}),
        (Beat(), {"type": "beat"}),
        (GoingAway(retry_after_seconds=0.5), {"type": "going_away", "retry_after_seconds": 0.5}),
        (
            Error(code="busy", message="m", retryable=True),
            {"type": "error", "code": "busy", "message": "m", "retryable": True},
        ),
        (
            Error(id="1", code="busy", message="m", retryable=True, retry_after_seconds=3),
            {
                "type": "error",
                "id": "1",
                "code": "busy",
                "message": "m",
                "retryable": True,
                "retry_after_seconds": 3,
            },
        ),
    ],
    ids=lambda value: value.type if hasattr(value, "type") else "",
)
def test_a_frame_has_exactly_these_fields(frame: ControlFrame, wire: dict[str, object]) -> None:
    assert json.loads(encode(frame)) == wire
