"""The outside of the rig does once what it is to do once, and writes it down before it answers."""

import json
from pathlib import Path
from typing import Any

from scripts.chaos.checker.outside import read_effects
from scripts.chaos.rig.sink import Sink


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_comes_again_under_its_key_is_written_down_and_not_done(tmp_path: Path) -> None:
    with (tmp_path / "effects").open("w") as file:
        sink = Sink(file)
        receipts = [sink.do("once", key, "task") for key in ("a", "b", "a")]
    assert receipts == [1, 2, 1]
    assert [line["is_done"] for line in written(tmp_path / "effects")] == [True, True, False]


def test_a_plain_write_is_done_each_time_whatever_its_key(tmp_path: Path) -> None:
    with (tmp_path / "effects").open("w") as file:
        sink = Sink(file)
        receipts = [sink.do(way, "a", "task") for way in ("each", "asked", "each")]
    assert receipts == [1, 2, 3]
    assert all(line["is_done"] for line in written(tmp_path / "effects"))


def test_the_checker_reads_what_it_wrote_but_for_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "effects"
    with path.open("w") as file:
        Sink(file).do("once", "a", "task")
        file.write('{"t": 1.0, "way": "on')
    [effect] = read_effects(path)
    assert (effect.key, effect.task, effect.is_done, effect.receipt) == ("a", "task", True, 1)
