"""The pauses of a run of the suite are written down as the simulation reads them."""

import json
from pathlib import Path

import pytest

from core.settings import Settings
from scripts.chaos.history import Json, Record
from scripts.chaos.pause_record import first_texts_of, pause_record
from scripts.simulate.real_run import read_record

ASKED = Record(0.0, "sent", "one", 1, {"type": "run", "run_id": "r1"})
KILLED = Record(2.0, "fault", facts={"name": "F1", "what": "killed", "runs": ["r1", "r2", "r3"]})


def heard(t: float, *events: Json, client: str = "one") -> Record:
    return Record(
        t, "received", client, 1, {"type": "events", "run_id": "r1", "events": list(events)}
    )


def text(word: str) -> Json:
    return {"type": "TEXT_MESSAGE_CONTENT", "delta": word}


RESUMED: Json = {"type": "CUSTOM", "name": "run.resumed", "value": {"attempt": 2}}
HISTORY = [
    ASKED,
    heard(1.5, text("one ")),
    KILLED,
    heard(5.5, RESUMED),
    heard(5.6, RESUMED, text("late "), client="tab"),
    heard(5.8, text("one ")),
    heard(5.9, text("two ")),
]


def test_the_first_text_counts_from_the_takeover_for_the_one_who_asked() -> None:
    assert first_texts_of(HISTORY) == [pytest.approx(0.3)]


def test_an_attempt_without_text_has_no_first_text() -> None:
    assert first_texts_of(HISTORY[:4]) == []


def test_the_simulation_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "pauses.json"
    settings = Settings(_env_file=None)
    path.write_text(json.dumps(pause_record(HISTORY, 3, settings)))
    run = read_record(path)
    assert list(run.pauses_seconds) == [pytest.approx(4.3)]
    assert (run.nodes, run.runs_per_kill, run.first_text_seconds) == (4, 3.0, 0.3)
    assert run.settings.lease_seconds == settings.lease_seconds
