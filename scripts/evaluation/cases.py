"""Reads function-calling cases: the functions, and the calls that answer the question."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

Schema = dict[str, JsonValue]

KINDS: Final = ("simple_python", "multiple", "parallel", "irrelevance")

_TYPES: Final = {"dict": "object", "float": "number", "tuple": "array"}
"""The types that a case calls by Python's names."""


class NoCases(Exception):
    """The folder does not have the cases; the message says which file is missing."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a case offers. name: as models may know it, without dots."""

    name: str
    description: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Expected:
    """A call that answers the question."""

    function: Function
    arguments: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Case:
    """One question. calls: empty where no function fits it."""

    id: str
    kind: str
    functions: Sequence[Function]
    calls: Sequence[Expected]


def read_cases(folder: Path) -> list[Case]:
    """Return all cases of all kinds. Raises `NoCases`."""
    return [case for kind in KINDS for case in _cases_of(folder, kind)]


def _cases_of(folder: Path, kind: str) -> Iterator[Case]:
    name = f"BFCL_v4_{kind}.json"
    answers: Mapping[str, Any] = {}
    if kind != "irrelevance":
        answers = {
            line["id"]: line["ground_truth"] for line in _lines(folder / "possible_answer" / name)
        }
    for line in _lines(folder / name):
        functions = {each["name"]: _function(each) for each in line["function"]}
        calls = [
            Expected(functions[called], _arguments(functions[called].schema, values))
            for answer in answers.get(line["id"], [])
            for called, values in answer.items()
        ]
        yield Case(line["id"], kind, tuple(functions.values()), calls)


def _lines(file: Path) -> Iterator[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        raise NoCases(f"There is no file {file}.") from None
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _function(described: Any) -> Function:
    name = described["name"].replace(".", "_")
    return Function(name, described["description"], json_schema(described["parameters"]))


def json_schema(described: Mapping[str, Any]) -> Schema:
    """Return the JSON Schema of what a case describes with Python's names of types."""
    schema: Schema = {
        key: described[key] for key in ("description", "enum", "required") if key in described
    }
    kind = described.get("type", "any")
    if kind != "any":
        schema["type"] = _TYPES.get(kind, kind)
    if "properties" in described:
        properties = described["properties"].items()
        schema["properties"] = {name: json_schema(value) for name, value in properties}
        schema["additionalProperties"] = False
    if "items" in described:
        schema["items"] = json_schema(described["items"])
    return schema


def _arguments(schema: Schema, values: Mapping[str, Sequence[Any]]) -> dict[str, JsonValue]:
    """Return the first of the values that are right for each argument; "" stands for none."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    chosen: dict[str, JsonValue] = {}
    for name, allowed in values.items():
        right = [value for value in allowed if value != ""] if name in required else allowed
        first = next(iter(right), "")
        if first != "":
            # An object that may have any properties describes none.
            inner = properties.get(name, {})
            assert isinstance(inner, dict)
            chosen[name] = _value(inner, first)
    return chosen


def _value(schema: Schema, value: Any) -> JsonValue:
    """Return a value; in an object every property has a list of values that may be given."""
    if isinstance(value, dict):
        return _arguments(schema, value)
    if isinstance(value, list):
        items = schema.get("items", {})
        assert isinstance(items, dict)
        return [_value(items, item) for item in value]
    return value  # type: ignore[no-any-return]  # JSON, as it was read
