"""The file of MCP servers that the documentation shows is one that works."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.infra.mcp.configured_server import Program
from app.infra.mcp.servers_file import read_servers
from core.tools import TextPart
from tests.support.mcp_servers import known, source_of

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "mcp" / "servers.json"


async def test_the_example_rolls_dice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (dice,) = read_servers(FILE, {"DICE_SIDES": "1"})
    assert isinstance(dice.place, Program)
    # The tests may run in another environment than `make run` does.
    here = replace(dice, place=replace(dice.place, command=sys.executable))
    async with source_of(here) as source:
        roll = await known(source, "roll", "dice")
        parts = await source.call(roll, {"count": 3})

    assert roll.name == "dice_roll"
    assert not roll.needs_approval
    assert [json.loads(part.text) for part in parts if isinstance(part, TextPart)] == [1, 1, 1]


def test_the_documentation_shows_the_example_as_it_is() -> None:
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    assert f"```json\n{FILE.read_text(encoding='utf-8')}```" in text
    assert "MCP_SERVERS=examples/mcp/servers.json make run" in text
