"""What a client may send, and what becomes of everything else."""

import json

import pytest

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.decisions import Close
from app.infra.websocket.frame_reader import read_frame
from app.infra.websocket.frames import Error, Ping, Position, Run, Subscribe

LIMIT = 64 * 1024
ID = "123E4567-E89B-12D3-A456-426614174000"


def read(frame: object) -> object:
    return read_frame(json.dumps(frame), LIMIT)


def test_a_good_frame_is_read() -> None:
    assert read({"type": "ping", "id": "1"}) == Ping(type="ping", id="1")


def test_uuids_are_read_in_lower_case() -> None:
    frame = read({"type": "subscribe", "id": "1", "conversation_id": ID})
    assert isinstance(frame, Subscribe)
    assert frame.conversation_id == ID.lower()


def test_a_cursor_is_read() -> None:
    after = {"epoch": "e", "sequence": 7}
    frame = read({"type": "subscribe", "id": "1", "conversation_id": ID, "after": after})
    assert isinstance(frame, Subscribe)
    assert frame.after == Position(epoch="e", sequence=7)


def test_a_run_may_carry_what_other_ag_ui_clients_send() -> None:
    frame = read(
        {
            "type": "run",
            "id": "1",
            "run_id": ID,
            "conversation_id": ID,
            "input": {
                "messages": [{"id": "m", "role": "user", "content": "Hi"}],
                "state": {"any": ["thing"]},
                "tools": [{"name": "t", "description": "d", "parameters": {}}],
                "context": [{"description": "d", "value": "v"}],
                "forwardedProps": {"collection": "c", "theirs": 1},
                "protocolVersion": "1.0",
            },
        }
    )
    assert isinstance(frame, Run)
    assert frame.on_busy == "reject"
    assert frame.input.forwarded_props == {"collection": "c", "theirs": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[]",
        "1",
        "null",
        '"text"',
        '{"type":"ping","id":"1"} {}',
        '\ufeff{"type":"ping","id":"1"}',
        '{"type":"ping","id":"\\ud800"}',
        '{"type":"ping","id":"1","x":NaN}',
        '{"type":"ping","id":"1","x":-Infinity}',
        '{"type":"ping","id":"1","x":' + "9" * 5000 + "}",
        "[" * 10_000,
        '{"a":' * 10_000,
        '{"type":"ping","id":"1","x":' + "[" * 10_000 + "]" * 10_000 + "}",
    ],
)
def test_what_is_no_json_object_is_answered_without_an_id(text: str) -> None:
    answer = read_frame(text, LIMIT)
    assert isinstance(answer, Error)
    assert (answer.id, answer.code, answer.retryable) == (None, "invalid_request", False)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"type": "dance"}, "The field type must be one of hello"),
        ({"type": ["ping"]}, "The field type must be one of hello"),
        ({"type": None}, "The field type must be one of hello"),
        ({}, "The field type must be one of hello"),
        ({"type": "ping", "color": "red"}, "The field color is not known."),
        ({"type": "subscribe"}, "The field conversation_id is wrong"),
        ({"type": "subscribe", "conversation_id": "1"}, "The field conversation_id is wrong"),
        ({"type": "subscribe", "conversation_id": f"{{{ID}}}"}, "The field conversation_id"),
        ({"type": "subscribe", "conversation_id": ID, "after": 3}, "The field after is wrong"),
        (
            {"type": "subscribe", "conversation_id": ID, "after": {"epoch": "e", "sequence": -1}},
            "The field after.sequence is wrong",
        ),
        (
            {"type": "subscribe", "conversation_id": ID, "after": {"epoch": "e", "sequence": "1"}},
            "The field after.sequence is wrong",
        ),
        ({"type": "hello", "protocol": True}, "The field protocol is wrong"),
        ({"type": "hello", "protocol": 1.0}, "The field protocol is wrong"),
        ({"type": "cancel", "run_id": 5}, "The field run_id is wrong"),
    ],
)
def test_a_wrong_frame_is_answered_with_its_id_and_the_field(
    frame: dict[str, object], says: str
) -> None:
    answer = read({"id": "mine"} | frame)
    assert isinstance(answer, Error)
    assert answer.id == "mine"
    assert answer.message.startswith(says)


@pytest.mark.parametrize("command_id", [None, "", 5, ["1"], "x" * 65])
def test_an_id_that_can_not_be_quoted_is_left_out(command_id: object) -> None:
    answer = read({"type": "ping", "id": command_id})
    assert isinstance(answer, Error)
    assert answer.id is None


def test_a_long_field_name_is_not_repeated_whole() -> None:
    answer = read({"type": "ping", "id": "1", "x" * 60_000: 1})
    assert isinstance(answer, Error)
    assert len(answer.message) < 200


def test_an_error_never_repeats_a_token() -> None:
    answer = read({"type": "hello", "id": "1", "protocol": 1, "token": ["secret"]})
    assert isinstance(answer, Error)
    assert "secret" not in answer.message


def test_a_binary_frame_is_answered_with_an_error() -> None:
    answer = read_frame(b'{"type":"ping","id":"1"}', LIMIT)
    assert isinstance(answer, Error)
    assert "text" in answer.message


def test_text_that_is_not_utf_8_closes_the_socket() -> None:
    answer = read_frame('{"type":"ping","id":"\ud800"}', LIMIT)
    assert isinstance(answer, Close)
    assert answer.code is CloseCode.INVALID_TEXT


@pytest.mark.parametrize(("letter", "count"), [("x", 101), ("ä", 51), ("\U0001f600", 26)])
def test_a_frame_over_the_limit_in_bytes_closes_the_socket(letter: str, count: int) -> None:
    answer = read_frame(letter * count, 100)
    assert isinstance(answer, Close)
    assert answer.code is CloseCode.FRAME_TOO_BIG
    assert isinstance(read_frame(letter * (count - 1), 100), Error)
