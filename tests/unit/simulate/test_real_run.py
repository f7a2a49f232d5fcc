"""A real run is compared with simulated ones of its size, and a bad record is told so."""

import json
from pathlib import Path

import pytest

from scripts.simulate import real_run
from scripts.simulate.__main__ import main
from scripts.simulate.costs import Costs
from scripts.simulate.leases import LeaseSettings, killed
from scripts.simulate.real_run import BadRecord, compared, read_record

GOOD = {"lease_seconds": 4, "beat_seconds": 1, "scan_seconds": 0.5}


@pytest.fixture(autouse=True)
def _fewer_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_run, "REPETITIONS", 20)


def record(folder: Path, pauses: list[float], **more: object) -> Path:
    """Write a record and return where it is."""
    path = folder / "pauses.json"
    path.write_text(json.dumps({**GOOD, "pauses_seconds": pauses, **more}))
    return path


def test_pauses_of_the_simulation_itself_are_within(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    for seed in range(2000, 2030):
        pauses += killed(seed, LeaseSettings(), Costs(), runs_per_node=3).resumed
    path = record(tmp_path, pauses, fault="kill -9")
    assert main(["--against", str(path)]) == 0
    told = capsys.readouterr().out
    assert "90 pauses of pauses.json" in told
    assert told.count("within") == 2


def test_pauses_of_another_design_are_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--against", str(record(tmp_path, [10.0, 12.0, 30.0]))]) == 1
    assert "OUTSIDE" in capsys.readouterr().out


def test_the_settings_of_the_real_run_are_those_that_are_simulated(tmp_path: Path) -> None:
    path = record(tmp_path, [16.0] * 6, lease_seconds=15, beat_seconds=3, nodes=4, runs_per_kill=2)
    run = read_record(path)
    assert run.settings == LeaseSettings(15, 3, 0.5)
    assert (run.nodes, run.runs_per_kill) == (4, 2)
    assert all(12 <= each.low <= each.high <= 16 for each in compared(run, Costs()))


def test_what_comes_before_the_first_text_is_added_to_every_pause(tmp_path: Path) -> None:
    plain, later = (
        compared(read_record(record(tmp_path, [4.0] * 6, first_text_seconds=more)), Costs())
        for more in (0, 2)
    )
    assert [each.low for each in later] == pytest.approx([each.low + 2 for each in plain])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"pauses_seconds": [1]}', json.dumps({**GOOD, "pauses_seconds": []})],
)
def test_a_file_that_is_no_record_is_told_so(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadRecord):
        read_record(path)
    assert main(["--against", str(path)]) == 2
    assert "bad.json" in capsys.readouterr().err
