"""Arguments that come with a JSON Schema instead of a model."""

from typing import Any

import pytest

from app.tools.validation import InvalidArguments, parser_of_schema

OPEN: dict[str, Any] = {"type": "object"}
POINT: dict[str, Any] = {
    "type": "object",
    "properties": {"at": {"type": "array", "items": {"type": "number"}, "minItems": 2}},
}
EITHER: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
}


def test_arguments_that_fit_come_back_as_they_are() -> None:
    assert parser_of_schema(POINT)('{"at": [1, 2.5]}') == {"at": [1, 2.5]}
    assert parser_of_schema(POINT)("") == {}


def test_what_a_schema_does_not_name_is_refused_unless_it_says_otherwise() -> None:
    with pytest.raises(InvalidArguments, match="town"):
        parser_of_schema(POINT)('{"town": 1}')
    assert parser_of_schema({**POINT, "additionalProperties": True})('{"town": 1}') == {"town": 1}
    assert parser_of_schema(OPEN)('{"town": 1}') == {"town": 1}


def test_properties_from_elsewhere_in_a_schema_are_known() -> None:
    joined: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "allOf": [{"properties": {"b": {"type": "string"}}}],
    }
    assert parser_of_schema(joined)('{"a": "1", "b": "2"}') == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("schema", "arguments", "place"),
    [
        (POINT, '{"at": [1, "2"]}', "at.1: "),
        (POINT, '{"at": [1]}', "at: "),
        (EITHER, '{"id": null}', "id: "),
        (POINT, "[]", "arguments: "),
        (POINT, '{"at": [1, NaN]}', "arguments: that is no JSON"),
    ],
)
def test_a_fault_names_its_place(schema: dict[str, Any], arguments: str, place: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        parser_of_schema(schema)(arguments)
    assert caught.value.faults[0].startswith(place)


def test_a_schema_of_another_draft_is_read_as_it_says() -> None:
    old: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "properties": {"n": {"type": "number", "maximum": 3, "exclusiveMaximum": True}},
    }
    with pytest.raises(InvalidArguments):
        parser_of_schema(old)('{"n": 3}')


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON Schema"):
        parser_of_schema({"type": "objekt"})


@pytest.mark.parametrize("reference", ["https://example.com/s.json", "#/$defs/nothing"])
def test_a_schema_that_points_elsewhere_fetches_nothing(reference: str) -> None:
    parse = parser_of_schema({"type": "object", "properties": {"a": {"$ref": reference}}})
    with pytest.raises(InvalidArguments, match="refers to something missing"):
        parse('{"a": 1}')
