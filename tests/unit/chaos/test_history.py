"""A history is read as it was written, and its pauses are those that clients saw."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.chaos.history import HistoryWriter, Json, Record, read_history
from scripts.chaos.pauses import delays_of, farewells_of, pauses_of, spread_of


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    with HistoryWriter(path) as writer:
        number = writer.opened("one", 'ws://"node"')
        writer.sent("one", number, '{"type": "hello"}')
        writer.received("one", number, '{"type": "welcome"}')
        writer.closed("one", number, 4200)
        writer.fault("F1", "killed", ["r1"])
        writer.note("that was all")
    records = list(read_history(path))
    assert [record.kind for record in records] == [
        "opened", "sent", "received", "closed", "fault", "note"
    ]  # fmt: skip
    assert records[0].facts == {"url": 'ws://"node"'}
    assert records[2].frame == {"type": "welcome"}
    assert records[3].facts == {"code": 4200}
    assert records[4].facts == {"name": "F1", "what": "killed", "runs": ["r1"]}
    assert all(one.t <= other.t for one, other in pairwise(records))


def text(t: float, run: str, client: str = "one", delta: str = "word ") -> Record:
    event = {"type": "TEXT_MESSAGE_CONTENT", "delta": delta}
    frame: Json = {"type": "events", "run_id": run, "events": [event]}
    return Record(t, "received", client, 1, frame)


def asked(run: str, client: str = "one") -> Record:
    return Record(0.0, "sent", client, 1, {"type": "run", "run_id": run})


def fault(t: float, *runs: str, what: str = "killed") -> Record:
    return Record(t, "fault", facts={"name": "F1", "what": what, "runs": list(runs)})


def test_a_pause_is_the_longest_silence_of_a_hit_run_after_the_fault() -> None:
    records = [
        asked("r1"), text(1.0, "r1"), text(9.0, "r1"), text(9.1, "r1"),
        fault(9.2, "r1"), text(9.3, "r1"), text(13.3, "r1"), text(13.4, "r1"),
    ]  # fmt: skip
    assert pauses_of(records) == [pytest.approx(4.0)]


def test_only_the_one_who_asked_is_listened_to() -> None:
    records = [
        asked("r1"),
        text(1.0, "r1"),
        fault(1.1, "r1"),
        text(2.0, "r1", "two"),
        text(5.0, "r1"),
    ]
    assert pauses_of(records) == [pytest.approx(4.0)]


def test_a_run_that_is_never_heard_again_has_no_pause() -> None:
    assert pauses_of([asked("r1"), text(1.0, "r1"), fault(1.1, "r1")]) == []


def run(t: float, run: str, number: str) -> Record:
    return Record(t, "sent", "one", 1, {"type": "run", "run_id": run, "id": number})


def refused(t: float, number: str, code: str) -> Record:
    return Record(t, "received", "one", 1, {"type": "error", "id": number, "code": code})


def test_a_run_that_is_refused_while_another_speaks_is_not_silent() -> None:
    records = [
        asked("r1"), text(1.0, "r1"), run(1.2, "r2", "2"), refused(1.3, "2", "busy"),
        fault(1.5, "r1", "r2"), text(2.0, "r1"), run(2.3, "r2", "3"), refused(2.4, "3", "busy"),
        text(3.0, "r1"), run(3.4, "r2", "4"), text(3.5, "r2"), text(3.7, "r2"),
    ]  # fmt: skip
    assert pauses_of(records) == [pytest.approx(1.0), pytest.approx(0.2)]


def test_a_run_that_waits_for_another_is_silent_once_that_one_is_over() -> None:
    records = [
        asked("r1"), text(1.0, "r1"), run(1.2, "r2", "2"), fault(1.5, "r2"),
        text(2.0, "r1"), text(6.0, "r1"), text(6.3, "r2"), text(6.5, "r2"),
    ]  # fmt: skip
    assert pauses_of(records) == [pytest.approx(0.3)]


def test_a_run_that_is_refused_because_of_the_fault_is_silent_from_the_fault_on() -> None:
    records = [
        asked("r1"), text(1.0, "r1"), run(1.4, "r2", "2"), fault(1.5, "r2"),
        refused(1.7, "2", "storage_unavailable"), run(2.7, "r2", "3"), text(2.9, "r2"),
    ]  # fmt: skip
    assert pauses_of(records) == [pytest.approx(1.4)]


def test_a_leaving_node_told_those_who_heard_it_before_the_close() -> None:
    url = "ws://node/ws"
    records = [
        Record(0.0, "opened", "one", 1, facts={"url": url}),
        Record(0.0, "opened", "two", 2, facts={"url": url}),
        Record(0.0, "opened", "three", 3, facts={"url": "ws://other/ws"}),
        fault(1.0, what=f"SIGTERM {url}"),
        Record(1.1, "received", "one", 1, {"type": "going_away"}),
        *(Record(2.0, "closed", "", each, facts={"code": 4200}) for each in (1, 2, 3)),
    ]
    assert farewells_of(records) == (2, 1)


def test_a_token_is_as_late_as_its_stamp_says() -> None:
    [(t, late)] = delays_of([asked("r1"), text(2.5, "r1", delta=f"@{2_000_000_000:018d} ")])
    assert t == 2.5
    assert late == pytest.approx(0.5)


def test_a_spread_of_nothing_has_no_figures() -> None:
    assert spread_of([]).p95 is None
    spread = spread_of(range(1, 101))
    assert (spread.p50, spread.p95, spread.longest) == (51, 96, 100)


def test_a_history_is_one_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    with HistoryWriter(path) as writer:
        writer.fault("F1", 'a "quoted" word\nand a line', [])
    [line] = path.read_text().splitlines()
    assert json.loads(line)["what"] == 'a "quoted" word\nand a line'
