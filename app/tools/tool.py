"""What a tool is: a typed function under a name, with what a model must know to call it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

DEADLINE_SECONDS = 10.0
"""How long a tool may take where it does not say."""


class ToolArguments(BaseModel):
    """What every tool's argument model begins with: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


A = TypeVar("A", bound=ToolArguments)
ToolFunction = Callable[[A], Awaitable[str]]


class ToolError(Exception):
    """The tool can't do what it was asked; the message says why, to a person and to a model."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What one call gave back. `error`: the call failed and `text` says how."""

    text: str
    error: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """Something an agent may do besides talking.

    schema: JSON Schema of the arguments, an object.
    deadline_seconds: how long its caller waits before it cancels the call.
    run: takes the arguments as a JSON object; see `answer`.
    """

    name: str
    description: str
    schema: dict[str, JsonValue]
    deadline_seconds: float
    run: Callable[[str], Awaitable[str]]

    async def answer(self, arguments: str) -> ToolAnswer:
        """Return what the tool says to `arguments`, a JSON object; its failure is a value too."""
        try:
            return ToolAnswer(await self.run(arguments))
        except ValidationError as error:
            return ToolAnswer(_what_is_wrong(self.name, error), error=True)
        except ToolError as error:
            return ToolAnswer(str(error), error=True)


def tool(
    name: str,
    description: str,
    arguments: type[A],
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Callable[[ToolFunction[A]], Tool]:
    """Make a function that takes `arguments` and returns text into a `Tool`."""

    def make(function: ToolFunction[A]) -> Tool:
        async def run(raw: str) -> str:
            return await function(arguments.model_validate_json(raw or "{}"))

        schema = arguments.model_json_schema()
        return Tool(name, description, schema, deadline_seconds, run)

    return make


def _what_is_wrong(name: str, error: ValidationError) -> str:
    faults = (
        f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return f"{name} cannot take these arguments. {'; '.join(faults)}."
