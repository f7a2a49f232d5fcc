"""Which tools there are: those that are in a file."""

from pathlib import Path

import pytest

from app.tools.registry import load_tools
from core.errors import SettingsError

TOOL = '''
from app.tools.tool import ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class Nothing(ToolArguments):
    """Nothing."""


@tool(name="{name}", description="For tests.", effect=Effect.READ, roles={{USER}}, circuit=None)
async def {name}(arguments: Nothing, context: ToolContext) -> str:
    return "{name}"
'''


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_every_tool_that_comes_with_the_server_can_be_shown_to_a_model() -> None:
    tools = load_tools()
    assert {"calculate", "current_time", "list_notes", "save_note", "search_knowledge"} <= set(
        tools
    )
    assert list(tools) == sorted(tools)
    for name, built in tools.items():
        assert built.name == name
        assert built.description.endswith(".")
        assert built.schema["type"] == "object"
        assert built.roles
        assert 0 < built.deadline_seconds <= 30


def test_tools_are_registered_by_being_there(tmp_path: Path) -> None:
    tools = load_tools(written(tmp_path, first=TOOL.format(name="first"), _helper="broken ("))
    assert "first" in tools
    assert set(tools) == set(load_tools()) | {"first"}


def test_two_tools_in_one_file_are_two(tmp_path: Path) -> None:
    both = TOOL.format(name="one") + TOOL.format(name="two").replace("Nothing", "Zilch")
    assert {"one", "two"} <= set(load_tools(written(tmp_path, both=both)))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"a": TOOL.format(name="same"), "b": TOOL.format(name="same")},
            "There are two tools “same”, in a.py and b.py.",
        ),
        (
            {"a": TOOL.format(name="calculate")},
            "TOOLS_DIR: there is a tool “calculate” already; rename it.",
        ),
        ({"a": "x = (\n"}, "TOOLS_DIR: a.py can't be used: SyntaxError in line 1: "),
        (
            {"a": "\nraise ValueError('no key')\n"},
            "TOOLS_DIR: a.py can't be used: ValueError in line 2: no key",
        ),
        ({"a": "import nothing_of_this_name"}, "TOOLS_DIR: a.py can't be used: ModuleNotFound"),
        (
            {"a": "x = 1"},
            "TOOLS_DIR: a.py has no tool. A file that others import begins with “_”.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_tools(written(tmp_path, **files))
    assert str(caught.value).startswith(sentence)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere is not a folder"):
        load_tools(tmp_path / "nowhere")
