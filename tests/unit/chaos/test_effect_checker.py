"""The checker knows what tools may do to the outside, and who has to be asked about it."""

import copy
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.chaos.checker.outside import Effect
from scripts.chaos.checker.verdict import Verdict, conclude, follow
from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json, record_of
from tests.unit.chaos.errand_story import UNKNOWN, ErrandStory, told_errands

SEEDS = range(60)


def verdict_on(story: ErrandStory) -> Verdict:
    findings = Findings()
    # Reading a line uses it up.
    delivery = follow((record_of(line) for line in copy.deepcopy(story.lines)), findings)
    return conclude(delivery, story.stored, findings, story.effects)


def faults_of(story: ErrandStory) -> set[Fault]:
    return {each.fault for each in verdict_on(story).violations}


def one_effect(story: ErrandStory, chance: random.Random, *kinds: str) -> Effect:
    done = [each for each in story.effects if each.is_done and each.task.startswith(kinds)]
    return chance.choice(done)


def do_again(*kinds: str) -> Callable[[ErrandStory, random.Random], None]:
    def mutate(story: ErrandStory, chance: random.Random) -> None:
        effect = one_effect(story, chance, *kinds)
        # A person may have allowed a repetition that was never made: once more than that.
        for number in range(1 + sum(each.decision == "repeat" for each in story.questions)):
            receipt = len(story.effects) + 100 + number
            story.effects.append(replace(effect, t=float(len(story.lines)), receipt=receipt))

    return mutate


def do_under_another_key(story: ErrandStory, chance: random.Random) -> None:
    effect = one_effect(story, chance, "once")
    story.effects.append(replace(effect, key=f"{effect.key}-2", receipt=len(story.effects) + 100))


def do_nothing(story: ErrandStory, chance: random.Random) -> None:
    task = one_effect(story, chance, "once").task
    story.effects = [each for each in story.effects if each.task != task]


def do_before_the_word(story: ErrandStory, chance: random.Random) -> None:
    place = story.effects.index(one_effect(story, chance, "asked"))
    story.effects[place] = replace(story.effects[place], t=-1.0)


def last_events(story: ErrandStory, reason: str) -> list[Json]:
    return [
        event
        for line in story.lines
        for event in line.get("frame", {}).get("events", ())
        for interrupt in (event.get("outcome") or {}).get("interrupts", ())
        if interrupt["reason"] == reason
    ]


def ask_nobody(reason: str) -> Callable[[ErrandStory, random.Random], None]:
    def mutate(story: ErrandStory, chance: random.Random) -> None:
        hidden = chance.choice(last_events(story, reason))["outcome"]["interrupts"][0]["id"]
        for line in story.lines:
            for event in line.get("frame", {}).get("events", ()):
                asked = (event.get("outcome") or {}).get("interrupts")
                if asked and asked[0]["id"] == hidden:
                    event["outcome"] = {"type": "success"}

    return mutate


def other_receipt(story: ErrandStory, chance: random.Random) -> None:
    """Let a call have the result of another, wherever it is told."""
    tools = [tool for each in story.messages for tool in each.shown.tools]
    tool = chance.choice([each for each in tools if each.result and "receipt-" in each.result])
    told = tool.result
    tool.result = "receipt-0."
    for line in story.lines:
        for event in line.get("frame", {}).get("events", ()):
            if event["type"] == "TOOL_CALL_RESULT" and event["content"] == told:
                event["content"] = tool.result


def other_result_stored(story: ErrandStory, chance: random.Random) -> None:
    tools = [tool for each in story.messages for tool in each.shown.tools]
    chance.choice(tools).result = "Something else."


def lose_late_result(story: ErrandStory, chance: random.Random) -> None:
    """Let what a call gave back in a later run be missing from the transcript."""
    done = {run.root_id for run in story.runs if run.root_id and run.status == "done"}
    tools = [tool for each in story.messages if each.run_id in done for tool in each.shown.tools]
    chance.choice(tools).result = None


def answer_twice(story: ErrandStory, chance: random.Random) -> None:
    """Let two runs bring an answer to one question, both accepted."""
    places = [
        place
        for place, line in enumerate(story.lines)
        if line.get("frame", {}).get("input", {}).get("resume")
    ]
    place = chance.choice(places)
    for line in reversed(copy.deepcopy(story.lines[place : place + 2])):
        line["frame"] |= {"id": "again", "run_id": "another"}
        story.lines.insert(place + 2, line)


def other_word(story: ErrandStory, chance: random.Random) -> None:
    place = chance.randrange(len(story.questions))
    question = story.questions[place]
    decision = "skip" if question.decision in ("repeat", "happened") else "edited"
    story.questions[place] = replace(question, decision=decision)


def other_run_answered(story: ErrandStory, chance: random.Random) -> None:
    place = chance.randrange(len(story.questions))
    story.questions[place] = replace(story.questions[place], answered_by="another")


def other_questions(story: ErrandStory, chance: random.Random) -> None:
    places = [place for place, run in enumerate(story.runs) if run.asks]
    place = chance.choice(places)
    story.runs[place] = replace(story.runs[place], asks=["another"])


def forget_the_interruption(story: ErrandStory, chance: random.Random) -> None:
    places = [place for place, run in enumerate(story.runs) if run.status == "interrupted"]
    place = chance.choice(places)
    story.runs[place] = replace(story.runs[place], status="done")


def ask_anew(story: ErrandStory, chance: random.Random) -> None:
    """Let a run that brings answers put its question into the transcript once more."""
    run = chance.choice([run for run in story.runs if run.root_id])
    question = next(each for each in story.messages if each.shown.id == run.message_id)
    story.messages.append(replace(question, run_id=run.id, position=len(story.messages) + 1))


MUTATIONS = {
    do_again("once"): {Fault.EFFECT_TWICE},
    do_again("each", "asked"): {Fault.EFFECT_TWICE},
    do_under_another_key: {Fault.EFFECT_TWICE},
    do_nothing: {Fault.RESULT},
    do_before_the_word: {Fault.EFFECT_EARLY},
    ask_nobody(UNKNOWN): {Fault.HIDDEN, Fault.QUESTIONS},
    ask_nobody("tool_call"): {Fault.HIDDEN, Fault.QUESTIONS},
    other_receipt: {Fault.RESULT},
    other_result_stored: {Fault.TRANSCRIPT},
    lose_late_result: {Fault.TRANSCRIPT},
    answer_twice: {Fault.WORD},
    other_word: {Fault.WORD},
    other_run_answered: {Fault.WORD},
    other_questions: {Fault.QUESTIONS},
    forget_the_interruption: {Fault.ENDING},
    ask_anew: {Fault.QUESTION_TWICE},
}


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=4))
def test_a_good_history_is_passed(seed: int, runs: int) -> None:
    story = told_errands(seed, runs)
    assert faults_of(story) == set()


@pytest.mark.parametrize("mutate", MUTATIONS, ids=[
    f"{number}-{each.__qualname__.split('.')[0]}" for number, each in enumerate(MUTATIONS)
])  # fmt: skip
def test_whatever_is_done_to_a_good_history_is_flagged(
    mutate: Callable[[ErrandStory, random.Random], None],
) -> None:
    tried = 0
    for seed in SEEDS:
        story = told_errands(seed)
        try:
            mutate(story, random.Random(seed))
        except (IndexError, ValueError):
            # This story has nothing of the kind.
            continue
        tried += 1
        assert faults_of(story) & MUTATIONS[mutate], seed
    assert tried >= len(SEEDS) // 4


def test_a_lost_write_that_is_taken_for_a_failure_is_flagged() -> None:
    for seed in SEEDS:
        story = told_errands(seed, hides=True)
        if any(not each.task.startswith("once-") for each in story.effects):
            assert Fault.HIDDEN in faults_of(story), seed


def test_what_there_was_is_counted() -> None:
    for seed in SEEDS:
        story = told_errands(seed)
        tally = verdict_on(story).tally
        done = sum(each.is_done for each in story.effects)
        assert (tally.tasks, tally.done) == (4, done)
        assert tally.again == len(story.effects) - done
        lost = {each["outcome"]["interrupts"][0]["id"] for each in last_events(story, UNKNOWN)}
        assert tally.unrecorded <= tally.unknown == len(lost)
