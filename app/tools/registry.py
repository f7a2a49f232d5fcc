"""Finds the tools there are: those of the server, and those in the operator's folder."""

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import app.tools.builtin
from app.tools.tool import Tool
from core.errors import SettingsError


def load_tools(folder: Path | None = None) -> dict[str, Tool]:
    """Return every tool by its name, in the order of the names.

    A tool is registered by being there: in a module of `app.tools.builtin`, or in a Python file
    of `folder` (TOOLS_DIR) whose name does not begin with an underscore. What is in such a file
    runs in this process. Raises `SettingsError` for a file that can't be used, and for two tools
    of one name.
    """
    found = dict(_named(_tools_built_in()))
    if folder is not None:
        for name, tool in _named(_tools_in(folder)).items():
            if name in found:
                raise SettingsError(f"TOOLS_DIR: there is a tool “{name}” already; rename it.")
            found[name] = tool
    return dict(sorted(found.items()))


def _tools_built_in() -> Iterator[tuple[str, Tool]]:
    package = app.tools.builtin
    for module in pkgutil.iter_modules(package.__path__):
        yield from _tools_of(importlib.import_module(f"{package.__name__}.{module.name}"))


def _tools_in(folder: Path) -> Iterator[tuple[str, Tool]]:
    if not folder.is_dir():
        raise SettingsError(f"TOOLS_DIR: {folder} is not a folder.")
    for file in sorted(folder.glob("[!_]*.py")):
        tools = list(_tools_of(_loaded(file)))
        if not tools:
            raise SettingsError(
                f"TOOLS_DIR: {file.name} has no tool. A file that others import begins with “_”."
            )
        yield from tools


def _loaded(file: Path) -> ModuleType:
    name = f"operator_tools.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SettingsError(f"TOOLS_DIR: {file.name} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    # Types are looked up by their module's name, so it has to be known while it is read.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SettingsError(f"TOOLS_DIR: {file.name} {_what_broke(file, error)}") from error
    return module


def _what_broke(file: Path, error: Exception) -> str:
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file)
    ]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(lines), None)
    where = f" in line {line}" if line else ""
    return f"can't be used: {type(error).__name__}{where}: {error}"


def _tools_of(module: ModuleType) -> Iterator[tuple[str, Tool]]:
    for value in vars(module).values():
        if isinstance(value, Tool):
            yield module.__name__.rpartition(".")[2], value


def _named(tools: Iterable[tuple[str, Tool]]) -> dict[str, Tool]:
    """Return the tools by name; one that a module has from another is the same one."""
    found: dict[str, tuple[str, Tool]] = {}
    for file, tool in tools:
        other, known = found.setdefault(tool.name, (file, tool))
        if known is not tool:
            raise SettingsError(f"There are two tools “{tool.name}”, in {other}.py and {file}.py.")
    return {name: tool for name, (_, tool) in found.items()}
