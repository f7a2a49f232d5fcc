"""Compares what tools did to the outside with what was asked for, answered and shown.

What the outside wrote down is the truth: a task that is to be done once is done once, every other
task as often as a person's word allows, and what nobody can know is shown as unknown.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from scripts.chaos.checker.delivery import Asked, Delivery
from scripts.chaos.checker.outside import Effect
from scripts.chaos.checker.stored import Stored, StoredQuestion
from scripts.chaos.checker.transcript import Tool
from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json

UNKNOWN = "unknown_outcome"
# A task's id says how often it may be done; see `scripts.chaos.driver.errands`. In a script it
# stands between percent-encoded quotes.
_TASK = re.compile(r"(?:once|each|asked)-[0-9a-f]{32}")
_RECEIPT = re.compile(r"receipt-(\d+)\.")


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said to one question. t: when they said it first. run: that brought it."""

    t: float
    run: str
    payload: Json

    @property
    def decision(self) -> str:
        """As it is stored."""
        if "decision" in self.payload:
            return str(self.payload["decision"])
        return "approved" if self.payload["approved"] else "rejected"


@dataclass(slots=True)
class Tally:
    """What there was.

    again: arrivals of what was done already. unrecorded: plain writes that were done and whose
    result nobody knows. unknown: shown as such. words: answers to questions, by their kind.
    """

    tasks: int = 0
    done: int = 0
    again: int = 0
    unrecorded: int = 0
    unknown: int = 0
    words: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def as_json(self) -> Json:
        """Return it for another program."""
        plain = {"tasks": self.tasks, "done": self.done, "again": self.again}
        shown = {"unrecorded": self.unrecorded, "unknown": self.unknown}
        return {**plain, **shown, "words": dict(self.words)}


class Effects:
    """Judges, after all records were taken, every task that was asked for."""

    def __init__(
        self, delivery: Delivery, stored: Stored, effects: Iterable[Effect], findings: Findings
    ) -> None:
        self._delivery = delivery
        self._stored = stored
        self._findings = findings
        self._effects: dict[str, list[Effect]] = defaultdict(list)
        for effect in sorted(effects, key=lambda each: each.t):
            self._effects[effect.task].append(effect)
        self._calls = _calls_of(stored)
        self._words = self._words_of()
        self._questions: dict[str, list[StoredQuestion]] = defaultdict(list)
        for question in stored.questions:
            self._questions[question.call].append(question)
        self.tally = Tally()

    def judge(self) -> None:
        """Compare everything."""
        self._judge_questions()
        for asked in self._delivery.asked.values():
            for task in dict.fromkeys(_TASK.findall(asked.text)):
                if asked.accepted is not None:
                    self._judge_task(asked, task)

    def _judge_questions(self) -> None:
        """See that every question was shown, and has the answer on record that was given."""
        for question in self._stored.questions:
            self.tally.words[question.decision or "none"] += 1
            if not self._is_shown(question):
                self._findings.add(Fault.HIDDEN, question.call, f"question {question.id}")
            words = self._words.get(question.id, ())
            given = [(word.decision, word.run) for word in words]
            is_one = given == [(question.decision, question.answered_by)]
            if not is_one and (given or question.decision):
                detail = f"{given} for {question.decision} by {question.answered_by}"
                self._findings.add(Fault.WORD, question.id, detail)

    def _judge_task(self, asked: Asked, task: str) -> None:
        effects, call = self._effects[task], self._calls.get(task)
        done = [effect for effect in effects if effect.is_done]
        self.tally.tasks += 1
        self.tally.done += len(done)
        self.tally.again += len(effects) - len(done)
        if task.startswith("once-"):
            allowed = [-inf]
        else:
            allowed = self._moments_allowed(task, call)
            self._judge_unseen(task, call, done)
        for number, effect in enumerate(done):
            if number >= len(allowed):
                self._findings.add(Fault.EFFECT_TWICE, task, f"{len(done)} times")
            elif effect.t < allowed[number]:
                self._findings.add(Fault.EFFECT_EARLY, task)
        if self._is_done(asked):
            self._judge_result(task, call, done)

    def _moments_allowed(self, task: str, call: Tool | None) -> list[float]:
        """Return from when on it may be done for the first, the second time, and so on."""
        words = self._words_about(call)
        repeats = [word.t for word in words if word.decision == "repeat"]
        if task.startswith("each-"):
            return [-inf, *repeats]
        return sorted([word.t for word in words if word.decision == "approved"][:1] + repeats)

    def _judge_unseen(self, task: str, call: Tool | None, done: Sequence[Effect]) -> None:
        """See that what was done and not recorded was shown as unknown."""
        result = (call.result if call else None) or ""
        seen = {int(receipt) for receipt in _RECEIPT.findall(result)}
        unseen = [effect for effect in done if effect.receipt not in seen]
        shown = [
            question
            for question in self._about(call)
            if question.kind == UNKNOWN and self._is_shown(question)
        ]
        self.tally.unrecorded += len(unseen)
        self.tally.unknown += len(shown)
        if len(unseen) > len(shown):
            detail = f"{len(unseen)} times, shown {len(shown)} times"
            self._findings.add(Fault.HIDDEN, task, detail)

    def _judge_result(self, task: str, call: Tool | None, done: Sequence[Effect]) -> None:
        """See that the result of a call is what came of it, or that a person has said instead."""
        if call is None or call.result is None:
            self._findings.add(Fault.RESULT, task, "there is none")
            return
        told = {int(receipt) for receipt in _RECEIPT.findall(call.result)}
        if told - {effect.receipt for effect in done}:
            self._findings.add(Fault.RESULT, task, call.result[:200])
        said = {word.decision for word in self._words_about(call)}
        if not told and not said & {"rejected", "happened", "skip"}:
            self._findings.add(Fault.EFFECT_LOST, task, call.result[:200])

    def _words_of(self) -> dict[str, list[Word]]:
        words: dict[str, list[Word]] = defaultdict(list)
        for asked in self._delivery.asked.values():
            if asked.accepted is None:
                continue
            for entry in asked.resume:
                words[entry["interruptId"]].append(Word(asked.sent, asked.run, entry["payload"]))
        return words

    def _words_about(self, call: Tool | None) -> list[Word]:
        return [word for each in self._about(call) for word in self._words.get(each.id, ())]

    def _about(self, call: Tool | None) -> list[StoredQuestion]:
        return [] if call is None else self._questions[call.id]

    def _is_shown(self, question: StoredQuestion) -> bool:
        """Whether a run ended with it, as somebody was told.

        Where nobody saw that end but a snapshot, somebody has asked what waits, and answered.
        """
        if question.id in self._delivery.logs.interrupts:
            return True
        was_reset = bool(self._delivery.resets.get(question.conversation_id))
        return was_reset and question.id in self._words

    def _is_done(self, asked: Asked) -> bool:
        runs = [run for run in self._stored.runs if asked.run in (run.id, run.root_id)]
        # They are in the order of admission.
        return bool(runs) and runs[-1].status == "done"


def _calls_of(stored: Stored) -> dict[str, Tool]:
    """Return the stored call of each task."""
    return {
        task: tool
        for messages in stored.messages.values()
        for message in messages
        for tool in message.shown.tools
        for task in _TASK.findall(tool.arguments)
    }
