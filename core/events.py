"""The vocabulary of everything that is said: AG-UI 1.0's events, and ours where it has no word.

AG-UI's own classes are used unchanged (package `ag-ui-protocol`). What it has no word for is a
`CUSTOM` event with one of the names below; the value's schema stands beside the name.
"""

from json.encoder import encode_basestring
from typing import Final

from ag_ui.core import (
    AssistantMessage,
    BaseEvent,
    CustomEvent,
    FunctionCall,
    Interrupt,
    Message,
    MessagesSnapshotEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    ResumeEntry,
    RunAgentInput,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    TokenUsage,
    ToolCall,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
    ToolMessage,
    UserMessage,
)

__all__ = [
    "ASK_DECIDED",
    "BREAKER_OPEN",
    "BUDGET_EXHAUSTED",
    "CITATIONS",
    "RUN_RESUMED",
    "AssistantMessage",
    "BaseEvent",
    "CustomEvent",
    "FunctionCall",
    "Interrupt",
    "Message",
    "MessagesSnapshotEvent",
    "ReasoningEndEvent",
    "ReasoningMessageContentEvent",
    "ReasoningMessageEndEvent",
    "ReasoningMessageStartEvent",
    "ReasoningStartEvent",
    "ResumeEntry",
    "RunAgentInput",
    "RunErrorEvent",
    "RunFinishedCancelledOutcome",
    "RunFinishedEvent",
    "RunFinishedInterruptOutcome",
    "RunFinishedSuccessOutcome",
    "RunStartedEvent",
    "StepFinishedEvent",
    "StepStartedEvent",
    "TextEvents",
    "TextMessageContentEvent",
    "TextMessageEndEvent",
    "TextMessageStartEvent",
    "TokenUsage",
    "ToolCall",
    "ToolCallArgsEvent",
    "ToolCallEndEvent",
    "ToolCallResultEvent",
    "ToolCallStartEvent",
    "ToolMessage",
    "UserMessage",
    "encode",
]

CITATIONS: Final = "citations"
"""Sources of one message: `{messageId, citations: [Citation]}`; sent before its end."""

BREAKER_OPEN: Final = "breaker.open"
"""A call was not made, because what it needs is away: `{name, toolCallId, retryAfterSeconds}`."""

BUDGET_EXHAUSTED: Final = "budget.exhausted"
"""The turn has to end with what it has: `{whose: run|user|tenant, what}`."""

ASK_DECIDED: Final = "ask.decided"
"""What the person answered to an interrupt: `{interruptId, toolCallId, decision, arguments}`."""

RUN_RESUMED: Final = "run.resumed"
"""Another attempt took the run over: `{attempt, after_seconds}`."""


def encode(event: BaseEvent) -> str:
    """Return an event as the JSON object that goes over the wire."""
    return event.model_dump_json(by_alias=True)


class TextEvents:
    """Encodes `TEXT_MESSAGE_CONTENT` of one message: the one event that is made for every token.

    Gives the bytes that `encode` gives, without building the model each time.
    """

    __slots__ = ("_prefix",)

    def __init__(self, message_id: str) -> None:
        empty = encode(TextMessageContentEvent(message_id=message_id, delta=""))
        self._prefix = empty.removesuffix('""}')

    def encode(self, delta: str) -> str:
        """Return the event that adds `delta` to the message."""
        return f"{self._prefix}{encode_basestring(delta)}}}"
