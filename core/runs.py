"""Words for one user message on its way to its last event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.conversations import Citation, LogMark, ToolCall
from core.ids import ConversationId, MessageId, RunId
from core.principal import Principal
from core.tools import AskAnswer


class RunStatus(StrEnum):
    """Where a run stands. All but the first two are final.

    INTERRUPTED: it asked the person something; the run that brings the answers continues it.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be said in this run."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class OnBusy(StrEnum):
    """What happens to a message that arrives while its conversation's run is not finished."""

    REJECT = "reject"
    QUEUE = "queue"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a person said, before it has a place in the transcript."""

    id: MessageId
    content: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A message to be answered.

    run_id: chosen by the client; sent twice, it runs once.
    collection: where retrieval looks.
    answers: to the questions that an earlier run of the conversation ended with: this run
        continues it. `message` then stands for nothing: the question is the earlier run's.
    """

    run_id: RunId
    conversation_id: ConversationId
    principal: Principal
    message: UserMessage
    on_busy: OnBusy = OnBusy.REJECT
    collection: str = "default"
    answers: tuple[AskAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is on disk.

    attempt: 0 before anybody took it, then counts those who did.
    handovers: attempts that were given away in good order, as by a node that stops.
    fence: higher with every attempt at any run of the conversation; what a lower one still
        writes is refused. 0 before anybody took it.
    log: where the conversation's log stood before the run's first event.
    waited_seconds: from admission to this attempt, by the database's clock.
    message_position: the question's place in the transcript, from 1; 0 while the run waits.
    messages_before: how long the transcript was before the run's first event. A client may ask
        a message that is there already to be answered again: then it is more than
        `message_position`.
    root_id: the run that this one continues, however often it was interrupted; its own id where
        it continues none. Steps and tool calls are kept under it.
    """

    id: RunId
    conversation_id: ConversationId
    principal: Principal
    status: RunStatus
    attempt: int
    message: UserMessage
    message_position: int
    messages_before: int
    collection: str
    created_at: datetime
    log: LogMark
    root_id: RunId
    fence: int = 0
    handovers: int = 0
    waited_seconds: float = 0.0
    cancel_requested: bool = False
    error_code: str | None = None
    error_message: str | None = None

    @property
    def failures(self) -> int:
        """How many attempts before this one were lost."""
        return self.attempt - self.handovers - 1

    @property
    def is_continued(self) -> bool:
        """Whether it continues an earlier run, with answers of the person."""
        return self.root_id != self.id


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one model call took, where the provider says so."""

    provider: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run said, whole. An answer that was stopped may be tool calls and no text."""

    message_id: MessageId
    text: str
    citations: tuple[Citation, ...] = ()
    usage: tuple[Usage, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
