"""The table says what a fault did, and whether that is good enough."""

import re
from typing import Any

import pytest

from scripts.chaos.faults.catalog import all_faults
from scripts.chaos.faults.fault import Bar
from scripts.chaos.pauses import Spread
from scripts.chaos.report import Row, remarks, table, told_effects
from scripts.chaos.suite import chosen

GOOD: dict[str, Any] = {
    "runs": 9, "taken_over": 3, "failed": 0, "resets": 0,
    "lost": 0, "gaps": 0, "duplicated": 0, "wrong": 0, "violations": [],
}  # fmt: skip


def row(p95: float = 4.0, **changes: Any) -> Row:
    return Row("F1", "killed", 5, {**GOOD, **changes}, Spread(3, 3.8, p95, 4.5), Bar(5.5, 8.0))


def test_a_row_is_correct_while_the_checker_finds_nothing() -> None:
    assert row().is_correct
    assert not row(lost=1, violations=["LOST: r1"]).is_correct


def test_a_missed_bar_is_no_fault_of_correctness() -> None:
    late = row(p95=5.6)
    assert late.is_correct
    assert not late.is_in_time
    assert "MISSED" in table([late])
    assert "met" in table([row()])


def test_the_first_things_that_are_wrong_are_told() -> None:
    bad = row(violations=[f"GAP: {number}" for number in range(9)])
    assert remarks(bad, most=2) == ["F1: GAP: 0", "F1: GAP: 1", "F1: and 7 more"]
    assert "FAIL" in table([bad])


def test_a_name_chooses_a_fault_and_those_below_it() -> None:
    assert [fault.id for fault in chosen(all_faults(), ["F12"])] == ["F12"]
    assert len(chosen(all_faults(), ["F10"])) == 12
    with pytest.raises(ValueError, match="F99"):
        chosen(all_faults(), ["F99"])


def test_names_are_file_names_and_there_is_one_of_each() -> None:
    names = [fault.id for fault in all_faults()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9.]+", name) for name in names)


def test_the_soak_is_performed_only_where_it_is_named() -> None:
    assert "F21" not in {fault.id for fault in chosen(all_faults(), [])}
    assert [fault.id for fault in chosen(all_faults(), ["F21"])] == ["F21"]


def test_what_tools_did_is_told_where_they_did_anything() -> None:
    nothing = {"tasks": 0, "done": 0, "again": 0, "unrecorded": 0, "unknown": 0, "words": {}}
    assert told_effects({"effects": nothing}) == []
    some = {**nothing, "tasks": 9, "done": 8, "again": 2, "words": {"skip": 1, "repeat": 3}}
    [said] = told_effects({"effects": some})
    assert said.startswith("9 tasks, done 8 times, 2 arrivals more")
    assert said.endswith("answers: 3 repeat, 1 skip")
