"""How cases are read, and how right calls are made wrong."""

from pathlib import Path
from typing import Any

import pytest

from scripts.evaluate import main
from scripts.evaluation.case_run import Tally
from scripts.evaluation.cases import Expected, Function, NoCases, json_schema, read_cases
from scripts.evaluation.mutations import mutations_of
from scripts.evaluation.overhead import Overhead
from scripts.evaluation.tools import ToolReport
from tests.support.function_calls import write_cases

FAST = Overhead(alone_ms=0.5, alone_p95_ms=9.0, at_once_ms=0.5, are_whole=True)


def test_names_of_python_types_become_those_of_json() -> None:
    described = {
        "type": "dict",
        "properties": {
            "at": {"type": "tuple", "items": {"type": "float"}, "description": "Where."},
            "kind": {"type": "string", "enum": ["a", "b"], "default": "a", "optional": True},
            "more": {"type": "any"},
        },
        "required": ["at"],
    }
    assert json_schema(described) == {
        "type": "object",
        "properties": {
            "at": {"type": "array", "items": {"type": "number"}, "description": "Where."},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "more": {},
        },
        "required": ["at"],
        "additionalProperties": False,
    }


def test_a_case_has_its_functions_and_the_first_of_the_right_calls(tmp_path: Path) -> None:
    write_cases(tmp_path)
    cases = {case.id: case for case in read_cases(tmp_path)}
    [call] = cases["simple_python_0"].calls
    assert call.function.name == "geo_area"
    assert call.arguments == {"base": 10, "place": {"city": "Rome", "tags": ["a"]}}
    assert len(cases["parallel_0"].calls) == 2
    assert cases["irrelevance_0"].calls == []


def test_a_folder_without_the_cases_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoCases, match="There is no file"):
        read_cases(tmp_path)


def test_without_cases_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools", "--data", str(tmp_path)]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_a_call_has_one_fault_for_each_argument_and_two_of_its_own() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {}},
        "required": ["a"],
    }
    call = Expected(Function("f", "", schema), {"a": 1, "b": "x", "c": None})

    found = [
        (each.kind, each.call.function.name, each.call.arguments) for each in mutations_of(call)
    ]

    assert found == [
        ("unknown tool", "f_2", call.arguments),
        ("extra", "f", {**call.arguments, "not_an_argument": 1}),
        ("missing", "f", {"b": "x", "c": None}),
        ("wrong type", "f", {**call.arguments, "a": "twelve"}),
        ("wrong type", "f", {**call.arguments, "b": 12345}),
    ]


def counted(*is_right: bool) -> Tally:
    tally = Tally()
    for each in is_right:
        tally.count("calls run", each, "case_1 f: no")
    return tally


@pytest.mark.parametrize(
    ("tally", "overhead", "is_good"),
    [
        (counted(True, True), FAST, True),
        (counted(True, False), FAST, False),
        (counted(), FAST, False),
        (counted(True), Overhead(1.5, 9.0, 0.5, are_whole=True), False),
        (counted(True), Overhead(0.5, 9.0, 0.5, are_whole=False), False),
    ],
)
def test_a_report_is_good_only_when_every_bar_is_met(
    tally: Tally, overhead: Overhead, is_good: bool
) -> None:
    assert ToolReport(tally, overhead).is_good is is_good


def test_a_report_shows_figures_and_faults() -> None:
    table = ToolReport(counted(True, False), FAST).table()
    assert "calls run" in table
    assert "1 of 2  below the bar" in table
    assert "calls run: case_1 f: no" in table
    assert "0.50 ms  ok" in table
