"""Names what can be wrong with a history, and counts it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


class Column(Enum):
    """The columns of the suite's table."""

    LOST = "lost"
    GAPS = "gaps"
    DUPLICATED = "duplicated"
    WRONG = "wrong"


class Fault(Enum):
    """What went against the protocol: where it is counted, and a sentence."""

    LOST = Column.LOST, "an accepted run is not in the database"
    UNFINISHED = Column.LOST, "an accepted run has no final state"
    UNTOLD = Column.LOST, "nobody was told the end of a run"
    NO_QUESTION = Column.LOST, "a run's question is not in the transcript"
    NO_ANSWER = Column.LOST, "a run that is done has no answer in the transcript"
    EFFECT_LOST = Column.LOST, "a call was said to be made, and nothing came of it"
    HIDDEN = Column.LOST, "nobody was shown what only a person can decide"
    BEHIND = Column.LOST, "a client never got the last events of its conversation"

    GAP = Column.GAPS, "a sequence number was left out"
    NO_SNAPSHOT = Column.GAPS, "what could not be continued did not begin with a snapshot"
    WRONG_EPOCH = Column.GAPS, "an event of another epoch without a snapshot before it"
    POSITIONS = Column.GAPS, "the stored messages are not numbered from 1 without gaps"

    REPEATED = Column.DUPLICATED, "an event was sent twice on one subscription"
    ENDED_TWICE = Column.DUPLICATED, "a run has two last events"
    ACCEPTED_TWICE = Column.DUPLICATED, "one run was accepted twice as new"
    RUN_TWICE = Column.DUPLICATED, "a run is in the database twice"
    QUESTION_TWICE = Column.DUPLICATED, "a question is in the transcript twice"
    ANSWER_TWICE = Column.DUPLICATED, "a run has two answers in the transcript"
    EFFECT_TWICE = Column.DUPLICATED, "a tool did something more often than it may"

    DIFFERENT = Column.WRONG, "two clients saw different events under one number"
    ZOMBIE = Column.WRONG, "an abandoned attempt went on speaking"
    AFTER_END = Column.WRONG, "a run went on after its last event"
    ATTEMPT = Column.WRONG, "the attempts of a run do not count up"
    UNASKED = Column.WRONG, "events of a conversation that was not subscribed to"
    CURSOR = Column.WRONG, "a client claimed to have seen what it had not"
    MISUSED = Column.WRONG, "an answer of the server fits no command"
    TRANSCRIPT = Column.WRONG, "what a client shows is not what is stored"
    VOICES = Column.WRONG, "an answer is not one reply of the model"
    QUESTION = Column.WRONG, "a stored question is not the one that was asked"
    ENDING = Column.WRONG, "the last event does not say what is stored"
    EFFECT_EARLY = Column.WRONG, "a tool did something before the person's word"
    WORD = Column.WRONG, "the answer on record to a question is not the one that was given"
    RESULT = Column.WRONG, "the result of a call is not what came of it"
    QUESTIONS = Column.WRONG, "the questions that ended a run are not those on record"
    INVENTED = Column.WRONG, "a run is in the database that nobody asked for"

    def __init__(self, column: Column, sentence: str) -> None:
        self.column = column
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong. where: the conversation, run or client; detail: for a person."""

    fault: Fault
    where: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.fault.name}: {self.fault.sentence} ({self.where}) {self.detail}".rstrip()


@dataclass(slots=True)
class Findings:
    """All that is wrong, in the order of finding."""

    violations: list[Violation] = field(default_factory=list)

    def add(self, fault: Fault, where: str, detail: str = "") -> None:
        """Note one violation."""
        self.violations.append(Violation(fault, where, detail))

    def by_column(self) -> Counter[Column]:
        """Return how many there are in each column."""
        return Counter(each.fault.column for each in self.violations)

    def kinds(self) -> set[Fault]:
        """Return what kinds there are."""
        return {each.fault for each in self.violations}
