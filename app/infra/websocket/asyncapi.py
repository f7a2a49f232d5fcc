"""Describes the wire as an AsyncAPI 3.0 document, made from the frames themselves."""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Final, Literal, get_args

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import (
    PROTOCOL_VERSION,
    Accepted,
    Beat,
    Cancel,
    Error,
    Events,
    Frame,
    GoingAway,
    Hello,
    Ok,
    Ping,
    Pong,
    Run,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Welcome,
)
from app.infra.websocket.handshake import PATH

ANSWERS: Final[Mapping[type[Frame], type[Frame]]] = {
    Hello: Welcome,
    Subscribe: Subscribed,
    Unsubscribe: Ok,
    Run: Accepted,
    Cancel: Ok,
    Ping: Pong,
}
"""What answers each command, where it is not an error."""

SPOKEN: Final[Sequence[type[Frame]]] = (Events, Beat, GoingAway)
"""What the server says of itself."""


def asyncapi_document() -> dict[str, JsonValue]:
    """Return the document, ready to be written as JSON; the same every time."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Colloquy",
            "version": f"{PROTOCOL_VERSION}.0.0",
            "description": _description(),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8000", "protocol": "ws"}},
        "channels": {
            "socket": {
                "address": PATH,
                "messages": {
                    _name(frame): {"$ref": f"#/components/messages/{_name(frame)}"}
                    for frame in messages
                },
            }
        },
        "operations": _operations(),
        "components": {
            "messages": {_name(frame): _message(frame) for frame in messages},
            "schemas": _schemas(messages),
        },
    }


def _messages() -> Sequence[type[Frame]]:
    """Return every frame once, in the order of the wire's table."""
    frames: list[type[Frame]] = [*ANSWERS, *ANSWERS.values(), *SPOKEN, Error]
    return tuple(dict.fromkeys(frames))


def _description() -> str:
    codes = "\n".join(f"- {code.value}: {code.name.lower()}" for code in CloseCode)
    return (
        "Text frames, one JSON object each. Every command has an `id` that its one answer quotes; "
        "commands of one socket are handled in the order they came.\n\n"
        f"{cleandoc(CloseCode.__doc__ or '')}\n\n{codes}"
    )


def _operations() -> dict[str, JsonValue]:
    commands: dict[str, JsonValue] = {
        _name(command): {
            "action": "receive",
            **_exchange(command),
            "reply": _exchange(answer, Error),
        }
        for command, answer in ANSWERS.items()
    }
    spoken: dict[str, JsonValue] = {
        _name(frame): {"action": "send", **_exchange(frame)} for frame in SPOKEN
    }
    return commands | spoken


def _exchange(*frames: type[Frame]) -> dict[str, JsonValue]:
    return {
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{_name(frame)}"} for frame in frames],
    }


def _message(frame: type[Frame]) -> dict[str, JsonValue]:
    return {
        "name": _name(frame),
        "summary": cleandoc(frame.__doc__ or "").partition("\n")[0],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }


def _schemas(frames: Sequence[type[Frame]]) -> JsonValue:
    modes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (frame, "validation" if frame in ANSWERS else "serialization") for frame in frames
    ]
    _, schemas = models_json_schema(
        modes, ref_template="#/components/schemas/{model}", schema_generator=WireSchema
    )
    definitions: JsonValue = schemas["$defs"]
    return definitions


class WireSchema(GenerateJsonSchema):
    """Pydantic's JSON Schema in the words that AsyncAPI shares with it."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Leave OpenAPI's `discriminator` object out: in AsyncAPI the word means something else."""
        union = super().tagged_union_schema(schema)
        union.pop("discriminator", None)
        return union

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Require what tells frames and events apart, though Python fills it in by itself."""
        schema = field["schema"]
        if schema["type"] == "default" and schema["schema"]["type"] == "literal":
            return len(schema["schema"]["expected"]) == 1
        return super().field_is_required(field, total)


def _name(frame: type[Frame]) -> str:
    """Return what the frame's `type` says."""
    (name,) = get_args(frame.model_fields["type"].annotation)
    return str(name)
