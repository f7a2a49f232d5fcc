"""What every agent is given and gives back: a turn's facts and state, the calling shape."""

from dataclasses import dataclass, field
from typing import Annotated, Protocol, TypedDict

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


class TurnState(TypedDict, total=False):
    """The channels of the graph: small, and plain JSON, because every step writes them to disk.

    plan: names of the agents that work before the writer, side by side; empty: straight to it.
    """

    plan: list[str]
    tool_calls: list[ToolCall]
    passages: list[PassageRef]
    tool_results: Annotated[list[ToolResult], joined]
    answer: AnswerState


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What does not change during a turn.

    history: the messages before the question, oldest first, already cut to the settings' limit.
    answer_id: the id the answer's message will have; new for every attempt.
    sink: where agents say things; never kept beyond the turn.
    passages: what the search has read, so that the writer need not read it again. The one thing
        that agents add to; empty where another node took the turn over after the search.
    """

    run_id: RunId
    conversation_id: ConversationId
    principal: Principal
    question: str
    history: tuple[Message, ...]
    collection: str
    answer_id: MessageId
    sink: RunSink
    passages: dict[PassageId, Passage] = field(default_factory=dict)


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
