"""The house's rules about imports hold, and each of them can fail."""

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = "importlinter:contract:"
TOP = ("app.server", "app.logs", "app.bootstrap", "core.")

# For each contract, a module that breaks it and the import that does so.
VIOLATIONS = {
    "floors": ("app/knowledge/intruder.py", "app.turns"),
    "roof": ("core/intruder.py", "main"),
    "doors": ("app/api/intruder.py", "app.agents"),
    "cellar-walls": ("app/infra/blobs/intruder.py", "app.infra.sql"),
    "cellar-ceiling": ("app/infra/blobs/intruder.py", "app.knowledge"),
    "cellar-door": ("app/turns/intruder.py", "app.infra.memory"),
    "langgraph": ("app/turns/intruder.py", "langgraph.graph"),
    "langchain": ("app/agents/intruder.py", "langchain_core.messages"),
    "providers": ("app/agents/intruder.py", "langchain_openai"),
    "mcp": ("app/turns/intruder.py", "mcp"),
    "web": ("app/turns/intruder.py", "starlette.requests"),
    "sql": ("app/knowledge/intruder.py", "sqlalchemy"),
    "postgres": ("app/knowledge/intruder.py", "psycopg"),
    "redis": ("app/turns/intruder.py", "redis"),
    "pybreaker": ("app/turns/intruder.py", "pybreaker"),
    "prometheus": ("app/turns/intruder.py", "prometheus_client"),
    "qdrant": ("app/knowledge/intruder.py", "qdrant_client"),
    "uvicorn": ("app/api/intruder.py", "uvicorn"),
    "ag-ui": ("app/turns/intruder.py", "ag_ui.core"),
}


def contracts() -> set[str]:
    """Return the ids of the contracts in `.importlinter`."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return {name.removeprefix(CONTRACT) for name in config.sections() if name.startswith(CONTRACT)}


def lint(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the tree at `house`."""
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-logo", "--no-cache", *arguments],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the code that a test may spoil."""
    for name in ("app", "core"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=lambda _, names: {"__pycache__"} & set(names)
        )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_imports_only_go_down(house: Path) -> None:
    checked = lint(house)
    assert checked.returncode == 0, checked.stdout


def test_every_contract_has_a_violation_to_prove_it() -> None:
    assert contracts() == set(VIOLATIONS)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_contract_catches_what_breaks_it(house: Path, contract: str) -> None:
    module, imported = VIOLATIONS[contract]
    (house / module).write_text(f"import {imported}\n")

    checked = lint(house, "--contract", contract)

    assert checked.returncode == 1, checked.stdout
    assert "1 broken" in checked.stdout
    assert imported.partition(".")[0] in checked.stdout


def test_main_knows_the_top_floors_and_core_only() -> None:
    # import-linter takes packages alone as roots, so the roof is looked at here.
    tree = ast.parse((ROOT / "main.py").read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    own = {name for name in imported if name.partition(".")[0] in {"app", "core"}}

    assert {name for name in own if not name.startswith(TOP)} == set()
