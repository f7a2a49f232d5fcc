"""Words for a call on its way through the executor."""

from dataclasses import dataclass

from core.budgets import NO_LIMIT, NOTHING, Budget, Spent
from core.ids import ConversationId, RunId
from core.principal import Principal
from core.tools import Ask, Outcome, OutputPart


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was decided on.

    id: unique over all runs, and the same in every attempt.
    arguments: a JSON object, not checked.
    agent: who decided on it.
    """

    id: str
    tool: str
    arguments: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is so for all calls of a step.

    root_id: the run in which they were decided on: what is recorded is recorded under it.
    fence: of the attempt that makes them.
    is_tainted: text from outside has entered the run: writes need a person's word.
    budget: what the step's calls may use up; spent: how much of that is used up before them.
    """

    run_id: RunId
    root_id: RunId
    conversation_id: ConversationId
    fence: int
    principal: Principal
    collection: str
    is_tainted: bool = False
    budget: Budget = NO_LIMIT
    spent: Spent = NOTHING


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one call.

    call: as it was made; the arguments are the person's where they were edited.
    text: what a model is shown, never empty. parts: what the tool gave back, for a page to show.
    is_made: the call was made, by this attempt or an earlier one, and counts as such.
    cost: the money that it took; 0 where it was not made.
    is_outside: the text comes from outside, so nobody vouches for what it says.
    decided: what the person was asked about it and has answered, the last question.
    circuit: the breaker that let nothing through, else empty; retry_after_seconds: until its next
        probe.
    """

    call: Call
    outcome: Outcome
    text: str
    parts: tuple[OutputPart, ...] = ()
    is_made: bool = False
    cost: float = 0.0
    is_outside: bool = False
    decided: Ask | None = None
    circuit: str = ""
    retry_after_seconds: float = 0.0
