"""The tool that the documentation shows is one that works."""

import json
from pathlib import Path

from app.tools.registry import load_tools
from app.tools.tool import tool
from core.tools import Outcome
from tests.support.tool_house import call, tool_house

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "tools"


async def test_the_example_rolls_dice() -> None:
    house = await tool_house(load_tools(EXAMPLES)["roll_dice"])

    answered = await house.answer(call("roll_dice", 1, '{"count": 3, "sides": 2}'))

    shown = json.loads(answered.text)
    assert answered.outcome is Outcome.DONE
    assert len(shown) == 3
    assert set(shown) <= {1, 2}


async def test_the_example_says_what_is_wrong_with_its_arguments() -> None:
    house = await tool_house(load_tools(EXAMPLES)["roll_dice"])

    answered = await house.answer(call("roll_dice", 1, '{"count": 0}'))

    assert answered.outcome is Outcome.INVALID
    assert "count" in answered.text


def test_the_documentation_shows_the_example_as_it_is() -> None:
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    example = (EXAMPLES / "roll_dice.py").read_text(encoding="utf-8")
    assert f"```python\n{example}```" in text
    assert "TOOLS_DIR=examples/tools make run" in text


def test_the_documentation_names_every_field_of_the_decorator() -> None:
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    for field in tool.__annotations__.keys() - {"return"}:
        assert f"| `{field}` |" in text
