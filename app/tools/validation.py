"""Makes the arguments a model gave into what a tool takes, or says what is wrong with them."""

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

ARGUMENTS_CHARS: Final = 100_000
"""Longest arguments, as JSON."""

_FAULTS: Final = 10
"""How many faults are told at once."""

_JOINS: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "unevaluatedProperties"})
"""What may name properties besides `properties`."""


class InvalidArguments(Exception):
    """The arguments are not what the tool takes. faults: each names what is wrong, and where."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


def parser_of_model(model: type[BaseModel]) -> Callable[[str], BaseModel]:
    """Return what makes a JSON object a `model`; it raises `InvalidArguments`."""

    def parse(arguments: str) -> BaseModel:
        _refuse_too_long(arguments)
        try:
            return model.model_validate_json(arguments or "{}")
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise InvalidArguments(
                _told(fault["loc"], fault["msg"]) for fault in found[:_FAULTS]
            ) from None

    return parse


def parser_of_schema(schema: dict[str, JsonValue]) -> Callable[[str], dict[str, JsonValue]]:
    """Return what checks a JSON object by a JSON Schema; it raises `InvalidArguments`.

    What the schema does not name is refused, unless it says that more may be there. Raises
    `ValueError` where the schema is none.
    """
    # Deferred: they take a twentieth of a second, and only tools of other programs need them.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, best_match
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    closed = _closed(schema)
    dialect = validator_for(closed, default=Draft202012Validator)
    try:
        dialect.check_schema(closed)
    except SchemaError as error:
        raise ValueError(f"That is no JSON Schema: {error.message}") from None
    # An empty registry: a reference to an address is not fetched, whoever wrote the schema.
    validator = dialect(closed, registry=Registry())

    def parse(arguments: str) -> dict[str, JsonValue]:
        value = _json_object(arguments)
        try:
            faults = list(islice(validator.iter_errors(value), _FAULTS))
        except Unresolvable:
            raise InvalidArguments(["the tool's schema refers to something missing"]) from None
        if faults:
            # Of alternatives that all fail, the nearest says most.
            nearest = [best_match([fault]) or fault for fault in faults]
            raise InvalidArguments(_told(each.absolute_path, each.message) for each in nearest)
        return value

    return parse


def _closed(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a schema that takes no properties but its own, where it has all of them in one."""
    if "properties" not in schema or not _JOINS.isdisjoint(schema):
        return schema
    return {"additionalProperties": False, **schema}


def _json_object(arguments: str) -> dict[str, JsonValue]:
    _refuse_too_long(arguments)
    try:
        value = json.loads(arguments or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidArguments(["arguments: that is no JSON"]) from None
    if not isinstance(value, dict):
        raise InvalidArguments(["arguments: a JSON object is needed"])
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def _refuse_too_long(arguments: str) -> None:
    if len(arguments) > ARGUMENTS_CHARS:
        raise InvalidArguments([f"arguments: longer than {ARGUMENTS_CHARS:,} characters"])


def _told(place: Iterable[object], message: str) -> str:
    return f"{'.'.join(map(str, place)) or 'arguments'}: {message.rstrip('.')}"
