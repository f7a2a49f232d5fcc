import pytest
from pydantic import Field

from app.tools.registry import build_tools
from app.tools.tool import ToolAnswer, ToolArguments, ToolError, tool
from core.clock import SystemClock


class Greeting(ToolArguments):
    """Whom to greet."""

    name: str = Field(description="A first name.")
    times: int = Field(default=1, ge=1, le=3)


@tool(name="greet", description="Greets.", arguments=Greeting, deadline_seconds=3.0)
async def greet(arguments: Greeting) -> str:
    if arguments.name == "nobody":
        raise ToolError("Nobody is not there.")
    return " ".join([f"Hello {arguments.name}."] * arguments.times)


def test_a_decorated_function_is_a_tool_with_its_schema_from_the_types() -> None:
    assert (greet.name, greet.description, greet.deadline_seconds) == ("greet", "Greets.", 3.0)
    assert greet.schema["required"] == ["name"]
    assert greet.schema["additionalProperties"] is False
    properties = greet.schema["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == {"name", "times"}


async def test_arguments_are_checked_before_the_function_runs() -> None:
    assert await greet.answer('{"name": "Ada", "times": 2}') == ToolAnswer("Hello Ada. Hello Ada.")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("{}", "name: Field required"),
        ("", "name: Field required"),
        ('{"name": 1}', "name: Input should be a valid string"),
        ('{"name": "Ada", "times": 9}', "times: Input should be less than or equal to 3"),
        ('{"name": "Ada", "nmae": "x"}', "nmae: Extra inputs are not permitted"),
        ('["Ada"]', "Input should be an object"),
        ("{", "Invalid JSON"),
    ],
)
async def test_wrong_arguments_are_an_answer_with_the_reason(arguments: str, reason: str) -> None:
    answer = await greet.answer(arguments)
    assert answer.error
    assert answer.text.startswith("greet cannot take these arguments.")
    assert reason in answer.text


async def test_a_tool_that_cannot_do_it_says_why() -> None:
    assert await greet.answer('{"name": "nobody"}') == ToolAnswer(
        "Nobody is not there.", error=True
    )


def test_every_tool_there_is_can_be_shown_to_a_model() -> None:
    tools = build_tools(SystemClock())
    assert list(tools) == ["calculate", "current_time"]
    for name, built in tools.items():
        assert built.name == name
        assert built.description.endswith(".")
        assert built.schema["type"] == "object"
        assert 0 < built.deadline_seconds <= 10
