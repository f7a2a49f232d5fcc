"""Makes right calls wrong, one thing at a time: pure rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from scripts.evaluation.cases import Expected

_OTHERS: Final[dict[str, JsonValue]] = {
    "string": 12345,
    "integer": "twelve",
    "number": "twelve",
    "boolean": "perhaps",
    "array": "one, two",
    "object": "a and b",
}
"""A value of another type for each type."""

EXTRA: Final = "not_an_argument"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A call with one fault. kind: the fault. reason: words that its refusal must have."""

    kind: str
    call: Expected
    reason: str


def mutations_of(call: Expected) -> Iterator[Mutation]:
    """Yield the call with every fault that it can have."""
    function, arguments = call.function, call.arguments
    unknown = replace(function, name=f"{function.name}_2")
    yield Mutation("unknown tool", Expected(unknown, arguments), f"no tool “{unknown.name}”")
    yield Mutation("extra", Expected(function, {**arguments, EXTRA: 1}), EXTRA)
    required = function.schema.get("required", [])
    assert isinstance(required, list)
    for name in required:
        if name in arguments:
            left = {other: value for other, value in arguments.items() if other != name}
            yield Mutation("missing", Expected(function, left), f"'{name}' is a required")
    for name in arguments:
        yield from _of_other_type(call, name)


def _of_other_type(call: Expected, name: str) -> Iterator[Mutation]:
    properties = call.function.schema["properties"]
    assert isinstance(properties, dict)
    described = properties[name]
    assert isinstance(described, dict)
    kind = described.get("type")
    if isinstance(kind, str):
        changed = Expected(call.function, {**call.arguments, name: _OTHERS[kind]})
        yield Mutation("wrong type", changed, f"{name}: ")
