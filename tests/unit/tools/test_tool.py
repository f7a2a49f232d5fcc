"""What the decorator makes of a function."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from app.tools.tool import AGENTS, DEADLINE_SECONDS, RETRIES, ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class Greeting(ToolArguments):
    """Whom to greet."""

    name: str = Field(description="A first name.")
    times: int = Field(default=1, ge=1, le=3)


async def greet(arguments: Greeting, context: ToolContext) -> str:
    return " ".join([f"Hello {arguments.name}."] * arguments.times)


def decorated(**fields: Any) -> Any:
    given = {"effect": Effect.READ, "roles": {USER}, **fields}
    return tool(name="greet", description="Greets.", **given)


def test_a_decorated_function_is_a_tool_with_its_schema_from_the_types() -> None:
    greeting = decorated()(greet)
    assert (greeting.name, greeting.description) == ("greet", "Greets.")
    assert greeting.schema["required"] == ["name"]
    assert greeting.schema["additionalProperties"] is False
    assert set(greeting.schema["properties"]) == {"name", "times"}
    assert greeting.parse('{"name": "Ada"}') == Greeting(name="Ada", times=1)


def test_a_tool_that_says_little_is_careful() -> None:
    greeting = decorated()(greet)
    assert (greeting.deadline_seconds, greeting.agents) == (DEADLINE_SECONDS, AGENTS)
    assert greeting.circuit == "tool:greet"
    assert not greeting.needs_approval
    assert not greeting.is_blocking


@pytest.mark.parametrize(
    ("effect", "circuit", "retries"),
    [
        (Effect.READ, "", RETRIES),
        (Effect.IDEMPOTENT_WRITE, "web", RETRIES),
        (Effect.READ, None, 0),
        (Effect.WRITE, "", 0),
    ],
)
def test_only_what_may_be_repeated_and_calls_something_outside_is_repeated(
    effect: Effect, circuit: str | None, retries: int
) -> None:
    assert decorated(effect=effect, circuit=circuit)(greet).retries == retries


def test_a_write_that_is_to_be_repeated_is_no_tool() -> None:
    with pytest.raises(ValueError, match="retries must be 0"):
        decorated(effect=Effect.WRITE, retries=1)(greet)


def test_a_need_that_nobody_can_meet_is_no_tool() -> None:
    with pytest.raises(ValueError, match="needs moon: there is no such"):
        decorated(needs={"moon"})(greet)


def test_a_function_that_is_no_coroutine_runs_in_a_thread() -> None:
    def block(arguments: Greeting, context: ToolContext) -> str:
        return arguments.name

    assert decorated()(block).is_blocking


class Loose(BaseModel):
    """A model that lets anything through."""


async def loose(arguments: Loose, context: ToolContext) -> str:
    return ""


async def untyped(arguments, context):  # type: ignore[no-untyped-def] # that is the point
    return ""


async def nothing() -> str:
    return ""


@pytest.mark.parametrize("function", [loose, untyped, nothing])
def test_a_function_without_a_strict_model_is_no_tool(function: Any) -> None:
    with pytest.raises(TypeError, match="must be annotated with a model of ToolArguments"):
        decorated()(function)


def test_a_tool_that_names_no_roles_is_no_tool() -> None:
    with pytest.raises(TypeError, match="roles"):
        tool(name="greet", description="Greets.", effect=Effect.READ)(greet)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["", "math.factorial", "a" * 65, "größe"])
def test_a_name_that_some_provider_would_not_take_is_no_tools(name: str) -> None:
    with pytest.raises(ValueError, match="is no tool's name"):
        tool(name=name, description="Greets.", effect=Effect.READ, roles={USER})(greet)
