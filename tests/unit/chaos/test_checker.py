"""The checker passes every good history, and flags every bad one for what is wrong with it."""

import copy
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.chaos.checker.event_log import LAST_EVENTS
from scripts.chaos.checker.stored import Stored
from scripts.chaos.checker.transcript import Shown
from scripts.chaos.checker.verdict import conclude, follow
from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json, record_of
from tests.unit.chaos.story import Story, told

SEEDS = range(60)


def faults_of(lines: list[Json], stored: Stored) -> set[Fault]:
    findings = Findings()
    # Reading a line uses it up.
    delivery = follow((record_of(line) for line in copy.deepcopy(lines)), findings)
    conclude(delivery, stored, findings)
    return findings.kinds()


def event_lines(story: Story) -> list[int]:
    """Return where the frames with events are, without those that a snapshot makes up for."""
    found = []
    for place, line in enumerate(story.lines):
        if line.get("frame", {}).get("type") == "events" and line["frame"]["run_id"] is not None:
            following = next_events(story, place)
            if following is None or following["frame"]["run_id"] is not None:
                found.append(place)
    return found


def next_events(story: Story, place: int) -> Json | None:
    """Return the next line with events for the same client."""
    client = story.lines[place]["client"]
    return next(
        (
            line
            for line in story.lines[place + 1 :]
            if line["client"] == client and line.get("frame", {}).get("type") == "events"
        ),
        None,
    )


def last_texts(story: Story) -> list[int]:
    """Return where a client reads text of an answer that stays, not made up for afterwards."""
    kept = {message.shown.id for message in story.messages}
    found: list[int] = []
    for place, line in enumerate(story.lines):
        frame = line.get("frame", {})
        if frame.get("type") != "events":
            continue
        if any(event["type"] == "MESSAGES_SNAPSHOT" for event in frame["events"]):
            found = [each for each in found if story.lines[each]["client"] != line["client"]]
        if any("delta" in each and each.get("messageId") in kept for each in frame["events"]):
            found.append(place)
    return found


def drop(story: Story, chance: random.Random) -> None:
    del story.lines[chance.choice(event_lines(story))]


def repeat(story: Story, chance: random.Random) -> None:
    place = chance.choice(event_lines(story))
    story.lines.insert(place + 1, copy.deepcopy(story.lines[place]))


def swap(story: Story, chance: random.Random) -> None:
    pairs = []
    for place in event_lines(story):
        other = next_events(story, place)
        if other is not None and other["connection"] == story.lines[place]["connection"]:
            pairs.append((story.lines[place], other))
    one, other = chance.choice(pairs)
    one["frame"], other["frame"] = other["frame"], one["frame"]


def change_text(story: Story, chance: random.Random) -> None:
    line = story.lines[chance.choice(last_texts(story))]
    line["frame"] = copy.deepcopy(line["frame"])
    kept = {message.shown.id for message in story.messages}
    event = next(
        each
        for each in line["frame"]["events"]
        if "delta" in each and each.get("messageId") in kept
    )
    event["delta"] += "!"


def change_epoch(story: Story, chance: random.Random) -> None:
    line = story.lines[chance.choice(event_lines(story))]
    line["frame"] = {**line["frame"], "epoch": "another"}


def change_number(story: Story, chance: random.Random) -> None:
    line = story.lines[chance.choice(event_lines(story))]
    line["frame"] = {**line["frame"], "sequence": line["frame"]["sequence"] + 1}


def move_cursor(story: Story, chance: random.Random) -> None:
    places = [line for line in story.lines if line.get("frame", {}).get("after")]
    frame = chance.choice(places)["frame"]
    frame["after"] = {**frame["after"], "sequence": frame["after"]["sequence"] + 1}


def accept_twice(story: Story, chance: random.Random) -> None:
    accepted = [
        place for place, line in enumerate(story.lines)
        if line.get("frame", {}).get("type") == "accepted" and not line["frame"]["duplicate"]
    ]  # fmt: skip
    place = chance.choice(accepted)
    story.lines.insert(place + 1, copy.deepcopy(story.lines[place]))


def lose_final(story: Story, chance: random.Random) -> None:
    place = chance.randrange(len(story.runs))
    story.runs[place] = replace(story.runs[place], status="running")


def lose_run(story: Story, chance: random.Random) -> None:
    del story.runs[chance.randrange(len(story.runs))]


def repeat_run(story: Story, chance: random.Random) -> None:
    story.runs.append(chance.choice(story.runs))


def invent_run(story: Story, chance: random.Random) -> None:
    story.runs.append(replace(story.runs[0], id="nobody's"))


def change_status(story: Story, chance: random.Random) -> None:
    ends = {
        line["frame"]["run_id"]
        for line in story.lines
        for event in line.get("frame", {}).get("events", ())
        if event["type"] in LAST_EVENTS
    }
    place = chance.choice([i for i, run in enumerate(story.runs) if run.id in ends])
    story.runs[place] = replace(story.runs[place], status="cancelled", error_code=None)


def change_stored(story: Story, chance: random.Random) -> None:
    chance.choice(story.messages).shown.content += "!"


def lose_citation(story: Story, chance: random.Random) -> None:
    answers = [each for each in story.messages if each.shown.role == "assistant"]
    chance.choice(answers).shown.citations = []


def lose_tool_result(story: Story, chance: random.Random) -> None:
    tools = [tool for message in story.messages for tool in message.shown.tools]
    chance.choice(tools).result = "43"


def store_again(role: str) -> Callable[[Story, random.Random], None]:
    def mutate(story: Story, chance: random.Random) -> None:
        shown = next(each for each in story.messages if each.shown.role == role)
        copied = Shown(f"{shown.shown.id}-again", role, shown.shown.content)
        story.messages.append(replace(shown, shown=copied, position=len(story.messages) + 1))

    return mutate


def lose_message(role: str) -> Callable[[Story, random.Random], None]:
    def mutate(story: Story, chance: random.Random) -> None:
        places = [
            place
            for place, each in enumerate(story.messages)
            if each.shown.role == role
            and any(run.id == each.run_id and run.status == "done" for run in story.runs)
        ]
        del story.messages[chance.choice(places)]

    return mutate


def move_position(story: Story, chance: random.Random) -> None:
    story.messages[-1] = replace(story.messages[-1], position=len(story.messages) + 1)


MUTATIONS = {
    drop: {Fault.GAP, Fault.BEHIND, Fault.CURSOR, Fault.UNTOLD},
    repeat: {Fault.REPEATED},
    swap: {Fault.GAP},
    change_text: {Fault.DIFFERENT, Fault.TRANSCRIPT},
    change_epoch: {Fault.WRONG_EPOCH},
    change_number: {Fault.GAP},
    move_cursor: {Fault.CURSOR},
    accept_twice: {Fault.ACCEPTED_TWICE},
    lose_final: {Fault.UNFINISHED},
    lose_run: {Fault.LOST},
    repeat_run: {Fault.RUN_TWICE},
    invent_run: {Fault.INVENTED},
    change_status: {Fault.ENDING},
    change_stored: {Fault.TRANSCRIPT, Fault.QUESTION},
    lose_citation: {Fault.TRANSCRIPT},
    lose_tool_result: {Fault.TRANSCRIPT},
    store_again("user"): {Fault.QUESTION_TWICE},
    store_again("assistant"): {Fault.ANSWER_TWICE},
    lose_message("user"): {Fault.NO_QUESTION},
    lose_message("assistant"): {Fault.NO_ANSWER},
    move_position: {Fault.POSITIONS},
}


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=4))
def test_a_good_history_is_passed(seed: int, runs: int) -> None:
    story = told(seed, runs)
    assert faults_of(story.lines, story.stored) == set()


@pytest.mark.parametrize("mutate", MUTATIONS, ids=[
    f"{number}-{each.__qualname__.split('.')[0]}" for number, each in enumerate(MUTATIONS)
])  # fmt: skip
def test_whatever_is_done_to_a_good_history_is_flagged(
    mutate: Callable[[Story, random.Random], None],
) -> None:
    tried = 0
    for seed in SEEDS:
        story = told(seed)
        try:
            mutate(story, random.Random(seed))
        except (IndexError, StopIteration):
            # This story has nothing of the kind.
            continue
        tried += 1
        assert faults_of(story.lines, story.stored) & MUTATIONS[mutate], seed
    assert tried >= len(SEEDS) // 4


@pytest.mark.parametrize(
    ("faults", "flagged"),
    [
        ({"zombie": True}, Fault.ZOMBIE),
        ({"ends": 2}, Fault.ENDED_TWICE),
        ({"mixes": True}, Fault.VOICES),
    ],
)
def test_what_a_faulty_server_does_to_all_is_flagged(
    faults: dict[str, bool | int], flagged: Fault
) -> None:
    for seed in SEEDS:
        story = told(seed, **faults)
        found = faults_of(story.lines, story.stored)
        assert flagged in found, seed


def test_a_run_whose_end_nobody_was_told_is_flagged() -> None:
    for seed in SEEDS:
        story = told(seed, ends=0)
        assert Fault.UNTOLD in faults_of(story.lines, story.stored) or any(
            line.get("frame", {}).get("run_id", "") is None for line in story.lines
        )
