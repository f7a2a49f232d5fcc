"""Puts together each conversation's log from what all its readers got, and judges the log."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json

LAST_EVENTS = ("RUN_FINISHED", "RUN_ERROR")
_STARTS = ("TEXT_MESSAGE_START", "REASONING_MESSAGE_START")
_TEXTS = ("TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT")


@dataclass(slots=True)
class Attempts:
    """What one run said in one epoch, read in order.

    dead: messages of attempts that were given up.
    """

    number: int = 1
    alive: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    has_ended: bool = False


class EventLogs:
    """The logs, by conversation and epoch; each number has one event, whoever saw it.

    endings: the last events of each run. interrupts: the questions that runs ended with, by id.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._logs: dict[tuple[str, str], dict[int, tuple[str, str]]] = defaultdict(dict)
        self.endings: dict[str, list[Json]] = defaultdict(list)
        self.interrupts: dict[str, Json] = {}

    def add(self, conversation: str, epoch: str, sequence: int, run: str, event: Json) -> None:
        """Take one event as somebody saw it."""
        log = self._logs[conversation, epoch]
        seen = (run, json.dumps(event, sort_keys=True))
        if log.setdefault(sequence, seen) != seen:
            where = f"{conversation}, epoch {epoch}, number {sequence}"
            self._findings.add(Fault.DIFFERENT, where, f"{log[sequence][1]} and {seen[1]}"[:300])

    def head(self, conversation: str, epoch: str) -> int:
        """Return the highest number that anybody saw; 0 where nobody saw any."""
        return max(self._logs.get((conversation, epoch), {0: None}))

    def judge(self) -> None:
        """Read every log in order."""
        for (conversation, epoch), log in self._logs.items():
            attempts: dict[str, Attempts] = defaultdict(Attempts)
            for sequence in sorted(log):
                run, text = log[sequence]
                where = f"run {run} of {conversation}, epoch {epoch}, number {sequence}"
                self._step(attempts[run], run, json.loads(text), where)

    def _step(self, attempts: Attempts, run: str, event: Json, where: str) -> None:
        kind = event["type"]
        if attempts.has_ended:
            fault = Fault.ENDED_TWICE if kind in LAST_EVENTS else Fault.AFTER_END
            self._findings.add(fault, where, kind)
        if kind in LAST_EVENTS:
            attempts.has_ended = True
            self.endings[run].append(event)
            self.interrupts |= {each["id"]: each for each in interrupts_of(event)}
        elif kind == "CUSTOM" and event["name"] == "run.resumed":
            self._resume(attempts, event["value"]["attempt"], where)
        elif kind in _STARTS:
            attempts.alive.add(event["messageId"])
        elif kind in _TEXTS and event["messageId"] in attempts.dead:
            self._findings.add(Fault.ZOMBIE, where, str(event)[:200])

    def _resume(self, attempts: Attempts, number: int, where: str) -> None:
        if number <= attempts.number:
            self._findings.add(Fault.ATTEMPT, where, f"{number} after {attempts.number}")
        attempts.number = number
        attempts.dead |= attempts.alive
        attempts.alive.clear()


def interrupts_of(event: Json) -> list[Json]:
    """Return the questions with which a last event leaves the person."""
    found: list[Json] = (event.get("outcome") or {}).get("interrupts") or []
    return found
