"""Compares what clients asked for and were told with what the database has."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from scripts.chaos.checker.delivery import Asked, Delivery, View
from scripts.chaos.checker.event_log import interrupts_of
from scripts.chaos.checker.stored import Stored, StoredMessage, StoredRun
from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json

# What the scripted model says with `voice=1`: the request's number and the word's.
_VOICED = re.compile(r"request(\d+)-word(\d+)")


class Outcomes:
    """Judges, after all records were taken, runs and transcripts."""

    def __init__(self, delivery: Delivery, stored: Stored, findings: Findings) -> None:
        self._delivery = delivery
        self._stored = stored
        self._findings = findings
        self._rows = {run.id: run for run in stored.runs}

    def judge(self) -> None:
        """Compare everything."""
        for asked in self._delivery.asked.values():
            if asked.accepted is not None:
                self._judge_accepted(asked)
        self._judge_rows()
        for conversation, messages in self._stored.messages.items():
            self._judge_messages(conversation, messages)
        for view in self._delivery.views.values():
            if view.client not in self._delivery.left:
                self._judge_view(view)

    def _judge_accepted(self, asked: Asked) -> None:
        row = self._rows.get(asked.run)
        if row is None:
            self._findings.add(Fault.LOST, asked.run)
            return
        if not row.is_final:
            self._findings.add(Fault.UNFINISHED, asked.run, row.status)
            return
        endings = self._delivery.logs.endings.get(asked.run, [])
        for event in endings:
            self._judge_ending(row, event)
        assert asked.accepted is not None
        if not endings and not self._was_reset_after(asked.conversation, asked.accepted):
            self._findings.add(Fault.UNTOLD, asked.run, row.status)

    def _was_reset_after(self, conversation: str, t: float) -> bool:
        # The end may then be told by the snapshot alone.
        return any(when > t for when in self._delivery.resets.get(conversation, ()))

    def _judge_ending(self, row: StoredRun, event: Json) -> None:
        told = _told_status(event)
        if told != row.status or (told == "error" and event.get("code") != row.error_code):
            self._findings.add(Fault.ENDING, row.id, f"{event} for {row.status} {row.error_code}")
        asks = [interrupt["id"] for interrupt in interrupts_of(event)]
        if asks != list(row.asks):
            self._findings.add(Fault.QUESTIONS, row.id, f"{asks} for {row.asks}")

    def _judge_rows(self) -> None:
        for key, count in Counter(run.id for run in self._stored.runs).items():
            if count > 1:
                self._findings.add(Fault.RUN_TWICE, key)
        for run in self._stored.runs:
            asked = self._delivery.asked.get(run.id)
            if asked is None or asked.conversation != run.conversation_id:
                self._findings.add(Fault.INVENTED, run.id)
            elif self._question_of(run, asked) != (run.message_id, run.message):
                self._findings.add(Fault.QUESTION, run.id)

    def _question_of(self, run: StoredRun, asked: Asked) -> tuple[str, str]:
        """Return what a run has to answer: one that brings answers, what its first run has to."""
        root = self._delivery.asked.get(run.root_id) if asked.resume else asked
        return (root.message_id, root.text) if root else ("", "")

    def _judge_messages(self, conversation: str, messages: list[StoredMessage]) -> None:
        positions = [message.position for message in messages]
        if positions != list(range(1, len(messages) + 1)):
            self._findings.add(Fault.POSITIONS, conversation, str(positions))
        said: dict[str, list[StoredMessage]] = defaultdict(list)
        for message in messages:
            said[message.run_id].append(message)
            if message.run_id not in self._rows:
                self._findings.add(Fault.INVENTED, message.run_id, "a message without its run")
        for run in self._stored.runs:
            if run.conversation_id == conversation and run.is_final:
                self._judge_said(run, said[run.id])

    def _judge_said(self, run: StoredRun, messages: list[StoredMessage]) -> None:
        questions = [each.shown for each in messages if each.shown.role == "user"]
        answers = [each.shown for each in messages if each.shown.role == "assistant"]
        # A run that was cancelled while it waited has left nothing.
        if not questions and run.status != "cancelled" and not run.root_id:
            self._findings.add(Fault.NO_QUESTION, run.id)
        # The question of a run that continues another is there already.
        if len(questions) > (0 if run.root_id else 1):
            self._findings.add(Fault.QUESTION_TWICE, run.id)
        if any((each.id, each.content) != (run.message_id, run.message) for each in questions):
            self._findings.add(Fault.QUESTION, run.id, "in the transcript")
        if not answers and run.status == "done":
            self._findings.add(Fault.NO_ANSWER, run.id)
        if len(answers) > 1:
            self._findings.add(Fault.ANSWER_TWICE, run.id)
        for answer in answers:
            if not has_one_voice(answer.content):
                self._findings.add(Fault.VOICES, run.id, answer.content[:200])

    def _judge_view(self, view: View) -> None:
        where = f"{view.client}, {view.conversation}"
        head = self._delivery.logs.head(view.conversation, view.epoch)
        if view.sequence < head:
            self._findings.add(Fault.BEHIND, where, f"{view.sequence} of {head}")
            return
        stored = [each.shown for each in self._stored.messages.get(view.conversation, [])]
        shown = view.transcript.messages
        if shown != stored:
            self._findings.add(Fault.TRANSCRIPT, where, _difference(shown, stored))


def has_one_voice(text: str) -> bool:
    """Whether the scripted model's words in `text` are one reply's, from its first on."""
    words = [(int(request), int(word)) for request, word in _VOICED.findall(text)]
    return all(each == (words[0][0], number) for number, each in enumerate(words, start=1))


def _told_status(event: Json) -> str:
    if event["type"] == "RUN_ERROR":
        return "error"
    match (event.get("outcome") or {}).get("type"):
        case "cancelled":
            return "cancelled"
        case "interrupt":
            return "interrupted"
        case _:
            return "done"


def _difference(shown: Sequence[object], stored: Sequence[object]) -> str:
    pairs = zip(shown, stored, strict=False)
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            return f"message {number}: shows {str(one)[:300]}, stored {str(other)[:300]}"
    return f"shows {len(shown)} messages, stored {len(stored)}"
