"""Makes histories in which tools with effects are called, approved, lost and asked about."""

import json
import random
from dataclasses import dataclass, field

from scripts.chaos.checker.outside import Effect
from scripts.chaos.checker.stored import Stored, StoredQuestion, StoredRun
from scripts.chaos.checker.transcript import Shown, Tool
from scripts.chaos.history import Json
from tests.unit.chaos.story import Story

UNKNOWN = "tool_outcome_unknown"
_KINDS = ("once", "each", "asked")


@dataclass(slots=True)
class Errand:
    """One task on its way; run: the one that is at work, after so many attempts."""

    task: str
    root: str
    run: str
    question: str
    call: Tool
    attempt: int = 1

    @property
    def kind(self) -> str:
        """How often it may be done."""
        return self.task.partition("-")[0]


@dataclass(slots=True)
class ErrandStory(Story):
    """As `Story`, but every run has one task done; `effects` is what the outside wrote down.

    hides: a faulty server, which takes a write whose record it lost for one that failed.
    """

    hides: bool = False
    effects: list[Effect] = field(default_factory=list)
    questions: list[StoredQuestion] = field(default_factory=list)
    _tasks: dict[str, str] = field(default_factory=dict)

    @property
    def stored(self) -> Stored:
        """What the database says."""
        return Stored(self.runs, {self.conversation: self.messages}, self.questions)

    def _text(self, run: str) -> str:
        return f"ask %22{self._tasks[run]}%22"

    def _run(self, attempts: int, zombie: bool = False, ends: int = 1, mixes: bool = False) -> None:
        errand = self._asked_for()
        answer = self._begin(errand)
        if errand.kind == "once":
            answer = self._do_once(errand, answer, attempts)
            self._end(errand, answer, f"receipt-{self.effects[-1].receipt}.")
            return
        if errand.kind == "asked":
            said = self._interrupt(errand, "tool_call", answer)
            answer = self._begin(errand)
            if said == "rejected":
                self._end(errand, answer, "The person said no to this call.")
                return
        self._do_each(errand, answer)

    def _asked_for(self) -> Errand:
        run, question = self._id(), self._id()
        task = f"{self.chance.choice(_KINDS)}-{run.replace('-', '')}"
        self._tasks[run] = task
        self._ask(run, question)
        self.messages.append(self._message(Shown(question, "user", self._text(run)), run))
        arguments = json.dumps({"task": task})
        return Errand(task, run, run, question, Tool(f"{run}-tool-1-1", "post", arguments))

    def _begin(self, errand: Errand) -> Shown:
        """Begin an attempt, and tell the call where no earlier run has it in its message."""
        answer = Shown(self._id(), "assistant")
        self._start(errand.run, errand.question, errand.attempt, keeps_epoch=False)
        if errand.run == errand.root:
            call = errand.call
            answer.tools.append(call)
            start = {"toolCallId": call.id, "toolCallName": "post", "parentMessageId": answer.id}
            args = {"toolCallId": call.id, "delta": call.arguments}
            told: list[Json] = [
                {"type": "TOOL_CALL_START", **start},
                {"type": "TOOL_CALL_ARGS", **args},
                {"type": "TOOL_CALL_END", "toolCallId": call.id},
            ]
            self._append(errand.run, told)
        return answer

    def _do_once(self, errand: Errand, answer: Shown, attempts: int) -> Shown:
        self._effect(errand, is_done=True)
        for _ in range(attempts - 1):
            errand.attempt += 1
            answer = self._begin(errand)
            self._effect(errand, is_done=False)
        return answer

    def _do_each(self, errand: Errand, answer: Shown) -> None:
        """Do it until its record is not lost, or the person wants no more of it."""
        while True:
            # A node may be lost before the call as well.
            lost = "after" if self.hides else self.chance.choice(("before", "after", "", ""))
            if lost != "before":
                self._effect(errand, is_done=True)
            if not lost:
                break
            errand.attempt += 1
            answer = self._begin(errand)
            if self.hides:
                self._end(errand, answer, "It failed.")
                return
            said = self._interrupt(errand, UNKNOWN, answer)
            answer = self._begin(errand)
            if said != "repeat":
                self._end(errand, answer, f"The person says: {said}.")
                return
        self._end(errand, answer, f"receipt-{self.effects[-1].receipt}.")

    def _effect(self, errand: Errand, *, is_done: bool) -> None:
        receipt = len(self.effects) + 1 if is_done else self.effects[-1].receipt
        t = float(len(self.lines))
        self.effects.append(Effect(t, errand.call.id, errand.task, is_done, receipt))

    def _interrupt(self, errand: Errand, reason: str, answer: Shown) -> str:
        """End the run with a question, and return what is answered in the run that follows."""
        ask, call = self._id(), errand.call
        told = {"id": ask, "reason": reason, "toolCallId": call.id}
        outcome = {"type": "interrupt", "interrupts": [told]}
        self._leave(errand, answer, "interrupted", asks=[ask])
        self._append(
            errand.run, [{"type": "RUN_FINISHED", "runId": errand.run, "outcome": outcome}]
        )
        run = self._id()
        self._tasks[run] = errand.task
        kind = "unknown_outcome" if reason == UNKNOWN else "approval"
        payload: Json = {"decision": self.chance.choice(("repeat", "happened", "skip"))}
        if reason != UNKNOWN:
            payload = {"approved": self.chance.random() < 0.8}
        said = payload.get("decision") or ("approved" if payload["approved"] else "rejected")
        self._answer(run, {"interruptId": ask, "status": "resolved", "payload": payload})
        self.questions.append(StoredQuestion(ask, self.conversation, call.id, kind, said, run))
        errand.run, errand.attempt = run, 1
        return str(said)

    def _answer(self, run: str, entry: Json) -> None:
        reader = self.chance.choice(self._readers)
        if not reader.connection:
            self._connect(reader)
        command = {"type": "run", "run_id": run, "input": {"messages": [], "resume": [entry]}}
        key = self._send(reader, {**command, "conversation_id": self.conversation})
        answer = {"type": "accepted", "id": key, "run_id": run, "duplicate": False}
        self._receive(reader, {**answer, "conversation_id": self.conversation})

    def _end(self, errand: Errand, answer: Shown, result: str) -> None:
        errand.call.result = result
        told = {"type": "TOOL_CALL_RESULT", "toolCallId": errand.call.id, "content": result}
        self._append(errand.run, [told])
        self._speak(errand.run, answer, whole=True)
        self._leave(errand, answer, "done")
        self._append(errand.run, [self._last_event(errand.run, None)])
        if self.chance.random() < 0.3:
            self._base, self._base_messages = self._head, len(self.messages)

    def _leave(
        self, errand: Errand, answer: Shown, status: str, asks: list[str] | None = None
    ) -> None:
        if answer.tools or answer.content:
            self.messages.append(self._message(answer, errand.run))
        root = "" if errand.run == errand.root else errand.root
        text = self._text(errand.run)
        self.runs.append(
            StoredRun(
                errand.run, self.conversation, status, errand.attempt, errand.question, text,
                None, root, asks or [],
            )
        )  # fmt: skip


def told_errands(seed: int, runs: int = 4, *, hides: bool = False) -> ErrandStory:
    """Return a story; the same one for the same seed."""
    story = ErrandStory(random.Random(seed), hides=hides)
    story.tell(runs)
    return story
