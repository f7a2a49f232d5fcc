"""Whether the document says what the frames are."""

import json
from collections.abc import Iterator

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from app.infra.websocket.asyncapi import ANSWERS, asyncapi_document
from app.infra.websocket.frames import Error, Pong, encode
from app.infra.websocket.subscriptions import events_prefix
from core import events
from core.ids import ConversationId, RunId
from scripts.write_asyncapi import PATH, asyncapi_text

ID = "11111111-1111-4111-8111-111111111111"
DOCUMENT = asyncapi_document()


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def find(reference: str) -> object:
    place: object = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        assert isinstance(place, dict)
        place = place[part]
    return place


def validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/components/messages/{name}/payload", **DOCUMENT})


def test_the_written_document_is_the_one_that_the_frames_make() -> None:
    assert PATH.read_text(encoding="utf-8") == asyncapi_text(), (
        "run `python -m scripts.write_asyncapi`"
    )


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        find(reference)  # It fails with the part that is not there.


def test_every_schema_is_a_json_schema() -> None:
    schemas = find("#/components/schemas")
    assert isinstance(schemas, dict)
    for schema in schemas.values():
        Draft7Validator.check_schema(schema)
        Draft202012Validator.check_schema(schema)


def test_every_command_has_an_operation_with_its_answer() -> None:
    assert len(ANSWERS) == 6
    for command, answer in ANSWERS.items():
        name = command.__name__.lower()
        reply = find(f"#/operations/{name}/reply/messages")
        assert reply == [
            {"$ref": f"#/channels/socket/messages/{answer.__name__.lower()}"},
            {"$ref": "#/channels/socket/messages/error"},
        ]


def test_what_is_sent_is_what_the_document_says() -> None:
    prefix = events_prefix(ConversationId(ID), RunId(ID), "e")
    event = events.encode(events.TextMessageContentEvent(message_id="m", delta="a"))
    validator("events").validate(json.loads(f'{prefix}1,"events":[{event}]}}'))
    validator("pong").validate(json.loads(encode(Pong(id="1"))))
    error = Error(code="busy", message="m", retryable=True)
    validator("error").validate(json.loads(encode(error)))


@pytest.mark.parametrize(
    ("frame", "is_valid"),
    [
        ({"type": "subscribe", "id": "1", "conversation_id": ID}, True),
        ({"type": "subscribe", "id": "1", "conversation_id": "1"}, False),
        ({"type": "subscribe", "id": "1", "conversation_id": ID, "color": "red"}, False),
        ({"id": "1", "conversation_id": ID}, False),
    ],
)
def test_what_is_heard_is_what_the_document_says(frame: object, is_valid: bool) -> None:
    assert validator("subscribe").is_valid(frame) is is_valid
