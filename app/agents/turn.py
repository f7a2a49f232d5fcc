"""What every agent is given and gives back: a turn's facts and state, the calling shape."""

from dataclasses import dataclass, field
from operator import or_
from typing import Annotated, Protocol, TypedDict

from core.budgets import NOTHING, Budget, Spent
from core.conversations import Message
from core.documents import Passage
from core.ids import ConversationId, MessageId, PassageId, RunId
from core.ports.run_sink import RunSink
from core.principal import Principal


class PassageRef(TypedDict):
    """A found passage by its id; the text is looked up where it is used.

    focus_start, focus_end: the best-fitting stretch, in characters of the passage's own text.
    """

    passage_id: str
    score: float
    focus_start: int
    focus_end: int


class ToolCall(TypedDict):
    """A tool call that was decided on.

    call_id: unique, and the same when the step runs again.
    arguments: a JSON object.
    """

    call_id: str
    tool: str
    arguments: str


class ToolResult(TypedDict):
    """What one tool call gave back. `error`: the call failed and `text` says how."""

    call_id: str
    tool: str
    arguments: str
    text: str
    error: bool


class DecisionState(TypedDict):
    """What the model decided before its answer: what it said, and the calls it asked for.

    run_id: the run in which it did; a run that continues another has that one's decisions too.
    """

    run_id: str
    text: str
    calls: list[ToolCall]
    usage: list["UsageState"]


class AskState(TypedDict):
    """A `core.tools.Ask` that waits for the person, as the checkpoint keeps it."""

    id: str
    kind: str
    call_id: str
    tool: str
    arguments: str
    arguments_hash: str
    effect: str
    expires_at: str


class SpentState(TypedDict):
    """A `core.budgets.Spent` as the checkpoint keeps it."""

    tool_calls: int
    model_calls: int
    tokens: int
    money: float
    seconds: float


class CitationState(TypedDict):
    """A `core.conversations.Citation` as the checkpoint keeps it."""

    number: int
    document_id: str
    document_name: str
    passage_id: str
    page: int | None
    quote: str
    start: int
    end: int


class UsageState(TypedDict):
    """A `core.runs.Usage` as the checkpoint keeps it."""

    provider: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None


class AnswerState(TypedDict):
    """The finished answer; it is kept so that a run that lost its node can end without a writer."""

    message_id: str
    text: str
    citations: list[CitationState]
    usage: list[UsageState]


def joined(left: list[ToolResult] | None, right: list[ToolResult] | None) -> list[ToolResult]:
    """Add the results of agents that ran side by side."""
    return [*(left or []), *(right or [])]


def decided(
    left: list[DecisionState] | None, right: list[DecisionState] | None
) -> list[DecisionState]:
    """Add a decision to those before it."""
    return [*(left or []), *(right or [])]


def spent_more(
    left: dict[str, SpentState] | None, right: dict[str, SpentState] | None
) -> dict[str, SpentState]:
    """Add what a step has spent to what its run had."""
    total = dict(left or {})
    for run_id, more in (right or {}).items():
        before = Spent(**total[run_id]) if run_id in total else NOTHING
        total[run_id] = spent_state(before + Spent(**more))
    return total


def spent_state(spent: Spent) -> SpentState:
    """Return what was spent as plain JSON."""
    return SpentState(
        tool_calls=spent.tool_calls,
        model_calls=spent.model_calls,
        tokens=spent.tokens,
        money=spent.money,
        seconds=spent.seconds,
    )


class TurnState(TypedDict, total=False):
    """The channels of the graph: small, and plain JSON, because every step writes them to disk.

    run_id: the run that works on the turn now.
    plan: names of the agents that work before the writer, side by side; empty: straight to it.
    tool_calls: what is to be called next; calls that wait for the person stay here.
    decisions: the model's, one for each of its rounds with tools.
    awaiting: what the person is asked; while there is something, the turn stands still.
    is_tainted: something from outside was read, so that it may speak through the model.
    answered_in: the run that has the answer.
    spent: by run, because a run that continues another goes on in its state.
    """

    run_id: str
    plan: list[str]
    tool_calls: list[ToolCall]
    passages: list[PassageRef]
    tool_results: Annotated[list[ToolResult], joined]
    decisions: Annotated[list[DecisionState], decided]
    awaiting: list[AskState]
    is_tainted: Annotated[bool, or_]
    spent: Annotated[dict[str, SpentState], spent_more]
    answer: AnswerState
    answered_in: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """A budget that the turn has to keep to. whose: `run`, `user` or `tenant`.

    before: what was spent on it before this turn.
    """

    whose: str
    budget: Budget
    before: Spent = NOTHING


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What does not change during a turn.

    history: the messages before the question, oldest first, already cut to the settings' limit.
    answer_id: the id the answer's message will have; new for every attempt.
    sink: where agents say things; never kept beyond the turn.
    root_id: the run that this one continues, or itself: what is kept between steps is kept
        under it, and so are tool calls.
    fence: of this attempt.
    allowances: what the turn may use up.
    started_at: when this attempt began, in the loop's time.
    passages: what the search has read, so that the writer need not read it again; empty where
        another node took the turn over after the search.
    spent_here: what the attempts before this one have spent, then what each of its steps has, for
        a turn that ends in the middle of one. These two are all that agents add to.
    """

    run_id: RunId
    conversation_id: ConversationId
    principal: Principal
    question: str
    history: tuple[Message, ...]
    collection: str
    answer_id: MessageId
    sink: RunSink
    root_id: RunId
    fence: int
    allowances: tuple[Allowance, ...] = ()
    started_at: float = 0.0
    passages: dict[PassageId, Passage] = field(default_factory=dict)
    spent_here: list[Spent] = field(default_factory=list)


class Agent(Protocol):
    """Answers one kind of question."""

    @property
    def name(self) -> str:
        """What the plan and the wire call it."""
        ...

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return only the channels it changes. May run again after a crash, so it must repeat well.

        Raises `AppError` where the turn can't go on.
        """
        ...
