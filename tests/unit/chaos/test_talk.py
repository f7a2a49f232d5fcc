"""The driver's client says what the protocol wants, whatever it is answered."""

import json
from typing import Any

import pytest

from scripts.chaos.driver.backoff import after_close, jitter
from scripts.chaos.driver.talk import Ask, Talk

WELCOME = {"type": "welcome", "id": "1"}


def sent(frames: list[str]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames]


def greeted(talk: Talk) -> list[dict[str, Any]]:
    """Open a connection, and return what is said after the welcome."""
    [hello] = sent(talk.opened())
    assert (hello["type"], hello["protocol"]) == ("hello", 1)
    return sent(talk.heard({"type": "welcome", "id": hello["id"]}))


def asking(talk: Talk, run: str = "r1") -> Ask:
    ask = Ask(run, "m1", "Hello")
    talk.asks[run] = ask
    return ask


def subscribed(talk: Talk, command: dict[str, Any], **fields: Any) -> None:
    place = {"epoch": "e", "sequence": 0, "recovered": True, **fields}
    talk.heard({"type": "subscribed", "id": command["id"], "conversation_id": "c", **place})


def events(sequence: int, *kinds: str, run: str | None = "r1", epoch: str = "e") -> dict[str, Any]:
    told = [{"type": kind, "messages": []} for kind in kinds]
    return {"type": "events", "run_id": run, "epoch": epoch, "sequence": sequence, "events": told}


def test_a_conversation_that_is_not_there_is_subscribed_to_once_its_run_is_accepted() -> None:
    talk = Talk("c")
    asking(talk)
    [run] = greeted(talk)
    assert run["type"] == "run"
    accepted = {"type": "accepted", "id": run["id"], "run_id": "r1", "duplicate": False}
    [subscribe] = sent(talk.heard(accepted))
    assert subscribe["type"] == "subscribe"
    assert "after" not in subscribe


def test_what_was_not_accepted_is_asked_again_under_the_same_run_id() -> None:
    talk = Talk("c")
    asking(talk)
    [first] = greeted(talk)
    [again] = greeted(talk)
    assert (first["run_id"], first["input"]) == (again["run_id"], again["input"])


def test_it_comes_back_with_the_cursor_of_its_last_event() -> None:
    talk = Talk("c", exists=True)
    subscribed(talk, greeted(talk)[0])
    talk.heard(events(1, "RUN_STARTED", "STEP_STARTED"))
    [subscribe] = greeted(talk)
    assert subscribe["after"] == {"epoch": "e", "sequence": 2}


def test_a_missing_number_makes_it_subscribe_again() -> None:
    talk = Talk("c", exists=True)
    subscribed(talk, greeted(talk)[0])
    talk.heard(events(1, "RUN_STARTED"))
    [subscribe] = sent(talk.heard(events(3, "STEP_STARTED")))
    assert subscribe["after"] == {"epoch": "e", "sequence": 1}
    assert talk.heard(events(4, "STEP_STARTED")) == []


def test_a_snapshot_moves_the_cursor_also_into_another_epoch() -> None:
    talk = Talk("c", exists=True)
    subscribed(talk, greeted(talk)[0])
    talk.heard(events(7, "MESSAGES_SNAPSHOT", run=None, epoch="f"))
    assert (talk.epoch, talk.sequence) == ("f", 7)


def test_a_new_log_with_lower_numbers_is_all_there_is() -> None:
    talk = Talk("c", exists=True)
    subscribed(talk, greeted(talk)[0], sequence=132)
    assert not talk.has_all
    talk.heard(events(1, "MESSAGES_SNAPSHOT", run=None, epoch="f"))
    assert talk.has_all


def test_a_snapshot_of_the_log_that_was_subscribed_to_is_not_yet_all() -> None:
    talk = Talk("c", exists=True)
    subscribed(talk, greeted(talk)[0], sequence=9, recovered=False)
    talk.heard(events(1, "MESSAGES_SNAPSHOT", run=None))
    assert not talk.has_all
    talk.heard(events(2, *["STEP_STARTED"] * 8))
    assert talk.has_all


def test_a_run_is_over_with_its_last_event() -> None:
    talk = Talk("c", exists=True)
    ask = asking(talk)
    subscribed(talk, greeted(talk)[0])
    talk.heard(events(1, "RUN_STARTED"))
    assert not ask.is_over
    talk.heard(events(2, "RUN_FINISHED"))
    assert ask.has_ended


def test_answers_are_sent_without_a_message_and_again_until_they_are_accepted() -> None:
    talk = Talk("c", exists=True)
    entry = {"interruptId": "i", "status": "resolved", "payload": {"approved": True}}
    talk.asks["r2"] = Ask("r2", "", "", resume=[entry])
    for frames in (greeted(talk), greeted(talk)):
        [run] = [frame for frame in frames if frame["type"] == "run"]
        assert run["run_id"] == "r2"
        assert run["input"] == {"messages": [], "resume": [entry]}


def test_the_questions_that_end_a_run_are_known() -> None:
    talk = Talk("c", exists=True)
    ask = asking(talk)
    subscribed(talk, greeted(talk)[0])
    frame = events(1, "RUN_FINISHED")
    frame["events"][0]["outcome"] = {"type": "interrupt", "interrupts": [{"id": "i"}]}
    talk.heard(frame)
    assert ask.has_ended
    assert ask.interrupts == [{"id": "i"}]


def test_what_is_busy_is_asked_again_after_the_pause() -> None:
    talk = Talk("c")
    ask = asking(talk)
    [run] = greeted(talk)
    busy = {"type": "error", "id": run["id"], "code": "busy", "retryable": True}
    assert talk.heard({**busy, "retry_after_seconds": 0.5}) == []
    assert talk.pause == 0.5
    [again] = sent(talk.retry())
    assert again["run_id"] == ask.run_id


def test_what_is_refused_for_good_is_not_asked_again() -> None:
    talk = Talk("c")
    ask = asking(talk)
    [run] = greeted(talk)
    talk.heard({"type": "error", "id": run["id"], "code": "conflict", "retryable": False})
    assert ask.refusal == "conflict"
    assert greeted(talk) == []


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(4001, None), (4099, None), (4200, 0.0), (1006, 0.3), (1012, 0.3), (4108, 1.7)],
)
def test_a_close_code_says_whether_and_when_to_come_back(code: int, seconds: float | None) -> None:
    assert after_close(code, 0, 0.5).seconds == (
        None if seconds is None else pytest.approx(seconds)
    )


def test_a_pause_lies_between_a_fifth_of_a_second_and_five() -> None:
    pauses = [jitter(attempt, chance) for attempt in range(12) for chance in (0.0, 0.5, 1.0)]
    assert min(pauses) == pytest.approx(0.2)
    assert max(pauses) == pytest.approx(5.0)
