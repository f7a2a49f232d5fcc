"""What docs/scale.md tells is what its commands print."""

import re
import shlex
from pathlib import Path

import pytest

from scripts.simulate.__main__ import main
from scripts.simulate.costs import Costs
from scripts.simulate.report import SCENARIOS
from scripts.simulate.sheets import costs_table

PAGE = Path(__file__).parents[3] / "docs" / "scale.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```text\n(.*?)\n```", TEXT, flags=re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]


def block(title: str) -> str:
    """Return the page's table with this title."""
    [found] = [block for block in BLOCKS if block.startswith(title)]
    return str(found)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_tables_of_a_scenario_are_what_the_command_prints(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 0
    printed = capsys.readouterr().out
    titles = re.findall(r"^[A-Z].*$", printed, flags=re.MULTILINE)
    assert titles
    for title in titles:
        assert block(title) in printed


def test_the_fleet_on_the_page_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--people", "10000", "100000", "1000000"]) == 0
    assert block("A fleet") in capsys.readouterr().out


def test_every_command_of_the_page_is_one_that_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    makefile = (PAGE.parents[1] / "Makefile").read_text(encoding="utf-8")
    assert COMMANDS
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "make":
            assert f"\n{words[1]}: " in makefile
        else:
            assert words[:4] == ["python", "-m", "scripts.simulate", "--against"]
            assert main([words[3], str(tmp_path / "missing.json")]) == 2
    assert "missing.json" in capsys.readouterr().err


def test_the_costs_of_the_page_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--costs"]) == 0
    assert capsys.readouterr().out.strip() == costs_table(Costs()).strip()
