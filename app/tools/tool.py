"""What a tool is: a typed function under a name, with what its callers must know of it.

What a tool raises where it can't give back what it was asked for (`ToolFailure`):

ToolFailure
├── Repairable        the model may try again with other arguments; nothing was changed
├── ToolError         the model must accept it; nothing was changed
├── ToolUnavailable   what it needs is away; nothing was changed; repeated where that is allowed
└── MayHaveHappened   a write was begun and nobody knows whether it happened

An error of `core.errors` is read in the same way (see `app.tools.attempt`), but for `Internal`,
which ends the run. Anything else is a bug of the tool.
"""

import inspect
import re
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from app.tools.services import ToolServices
from app.tools.validation import parser_of_model
from core.ids import ConversationId, RunId
from core.principal import Principal
from core.tools import Effect

DEADLINE_SECONDS: Final = 10.0
"""How long a call may take, its repetitions included, where a tool does not say."""

OUTPUT_CHARS: Final = 12_000
"""How much of a tool's output a model is shown where a tool does not say: about 3,000 tokens."""

RETRIES: Final = 2
"""How often a repeatable call of something outside is repeated where a tool does not say."""

AGENTS: Final = frozenset({"coordinator", "writer"})
"""The agents that may call a tool where it does not say."""

# What every provider takes.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ToolFailure(Exception):
    """A tool can't give back what it was asked for; the message tells a person and a model why."""


class Repairable(ToolFailure):
    """The model may try again with other arguments. Nothing was changed."""


class ToolError(ToolFailure):
    """It can't be done, whatever the arguments. Nothing was changed."""


class ToolUnavailable(ToolFailure):
    """What the tool needs can't be reached now. Nothing was changed."""


class MayHaveHappened(ToolFailure):
    """A write was begun, and nobody knows whether it happened."""


class ToolArguments(BaseModel):
    """What every tool's argument model begins with: nothing unknown or of another type passes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=10_000)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool knows of the call that it answers.

    collection: where the run searches.
    idempotency_key: the same in every attempt at this call, and no other call's.
    is_tainted: text from outside has entered the run and may speak through the arguments.
    is_cancelled: whether nobody waits any more; a function in a thread has to ask.
    """

    principal: Principal
    run_id: RunId
    conversation_id: ConversationId
    collection: str
    call_id: str
    idempotency_key: str
    is_tainted: bool
    services: ToolServices
    is_cancelled: Callable[[], bool] = lambda: False


A = TypeVar("A", bound=ToolArguments)

ToolFunction = Callable[[Any, ToolContext], object]
"""Takes the parsed arguments. Gives back, or gives an awaitable of: text, an `OutputPart` or a
list of them, a pydantic model, or any other JSON value."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something an agent may do besides talking.

    schema: JSON Schema of the arguments, an object.
    parse: makes a JSON object what `function` takes; raises `InvalidArguments`.
    is_blocking: `function` waits without `await`, so it runs in a thread.
    deadline_seconds: how long a call may take, its repetitions included.
    retries: how often a call that failed for want of its server is repeated; 0 for a `WRITE`.
    roles: a caller needs one of them. agents: the caller's agent must be one of them.
    needs: fields of `ToolServices`; where one is missing the tool is not there.
    cost: money for a call that is made.
    is_outside: its output comes from outside, so nobody vouches for what it says.
    max_output_chars: how much of its text a model is shown.
    circuit: the name of its breaker; None for one that needs nothing outside this process.
    """

    name: str
    description: str
    schema: dict[str, JsonValue]
    parse: Callable[[str], object]
    function: ToolFunction
    effect: Effect
    roles: frozenset[str]
    is_blocking: bool = False
    deadline_seconds: float = DEADLINE_SECONDS
    retries: int = 0
    agents: frozenset[str] = AGENTS
    needs_approval: bool = False
    needs: frozenset[str] = frozenset()
    cost: float = 0.0
    is_outside: bool = False
    max_output_chars: int = OUTPUT_CHARS
    circuit: str | None = None

    def __post_init__(self) -> None:
        unknown = self.needs - {field.name for field in fields(ToolServices)}
        if unknown:
            raise ValueError(f"{self.name} needs {', '.join(sorted(unknown))}: there is no such.")
        if self.retries and not self.effect.is_repeatable:
            raise ValueError(f"{self.name} is a write that may not be repeated: retries must be 0.")


def tool(
    *,
    name: str,
    description: str,
    effect: Effect,
    roles: Collection[str],
    deadline_seconds: float = DEADLINE_SECONDS,
    retries: int | None = None,
    agents: Collection[str] = AGENTS,
    needs_approval: bool = False,
    needs: Collection[str] = (),
    cost: float = 0.0,
    is_outside: bool = False,
    max_output_chars: int = OUTPUT_CHARS,
    circuit: str | None = "",
) -> Callable[[Callable[[A, ToolContext], object]], Tool]:
    """Make a function of typed arguments and a `ToolContext` into a `Tool`; see there.

    The arguments' model is the annotation of the first parameter. retries: None: `RETRIES` where
    a call may be repeated and something outside is called, else 0. circuit: empty: `tool:NAME`.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"“{name}” is no tool's name: letters, digits, _ and -, at most 64.")
    breaker = f"tool:{name}" if circuit == "" else circuit
    if retries is None:
        retries = RETRIES if effect.is_repeatable and breaker else 0

    def make(function: Callable[[A, ToolContext], object]) -> Tool:
        arguments = _arguments_of(function)
        return Tool(
            name=name,
            description=description,
            schema=arguments.model_json_schema(),
            parse=parser_of_model(arguments),
            function=function,
            effect=effect,
            roles=frozenset(roles),
            is_blocking=not inspect.iscoroutinefunction(function),
            deadline_seconds=deadline_seconds,
            retries=retries,
            agents=frozenset(agents),
            needs_approval=needs_approval,
            needs=frozenset(needs),
            cost=cost,
            is_outside=is_outside,
            max_output_chars=max_output_chars,
            circuit=breaker,
        )

    return make


def _arguments_of(function: Callable[..., object]) -> type[ToolArguments]:
    """Return the annotation of the first parameter; raises `TypeError` where it is no model."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    hints = typing.get_type_hints(function)
    model = hints.get(first.name) if first is not None else None
    if not (isinstance(model, type) and issubclass(model, ToolArguments)):
        raise TypeError("A tool's first parameter must be annotated with a model of ToolArguments.")
    return model
