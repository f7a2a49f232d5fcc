"""People ask for things with effects, and answer what they are asked about them."""

import json
import random
from urllib.parse import unquote

from scripts.chaos.driver.errands import answers_to, errand
from scripts.scripted_model.script import Script, read_script

QUESTIONS = [
    {"id": "1", "reason": "tool_call", "metadata": {"argumentsHash": "abc"}},
    {"id": "2", "reason": "tool_outcome_unknown", "metadata": {}},
]


def test_an_errand_is_a_script_whose_calls_name_their_tasks() -> None:
    text = errand(("once",), "tokens=5 voice=1", random.Random(1))
    script = read_script(text, Script())
    calls = json.loads(script.calls)
    assert (script.tokens, script.voice) == (5, 1)
    assert {call["name"] for call in calls} == {"post_once"}
    assert all(call["arguments"]["task"] in unquote(text) for call in calls)


def test_a_webhook_carries_its_task_in_what_it_posts() -> None:
    script = read_script(errand(("asked",), "tokens=5", random.Random(1)), Script())
    call = json.loads(script.calls)[0]
    assert call["name"] == "send_webhook"
    assert call["arguments"]["body"]["task"].startswith("asked-")


def test_a_person_says_yes_or_no_to_a_call_and_what_to_do_about_a_lost_one() -> None:
    said = [answers_to(QUESTIONS, random.Random(seed)) for seed in range(60)]
    assert {len(entries) for entries in said} == {1, 2}
    payloads = [(each["interruptId"], each["payload"]) for entries in said for each in entries]
    approvals = [payload for id_, payload in payloads if id_ == "1"]
    assert {payload["approved"] for payload in approvals} == {True, False}
    assert {payload["argumentsHash"] for payload in approvals} == {"abc"}
    decisions = {payload["decision"] for id_, payload in payloads if id_ == "2"}
    assert decisions == {"repeat", "happened", "skip"}
