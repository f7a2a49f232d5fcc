"""Words for what people and the assistant said to each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.ids import ConversationId, DocumentId, MessageId, PassageId, PrincipalId, RunId, TenantId


class Role(StrEnum):
    """Who said a message."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where one statement of an answer comes from.

    number: what the answer's text calls it, as in `[1]`, from 1.
    page: from 1; None where the format has no pages.
    quote: text that stands in the passage word for word.
    start, end: where the quote stands in the document's text, in characters, end exclusive.
    """

    number: int
    document_id: DocumentId
    document_name: str
    passage_id: PassageId
    page: int | None
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that was called for an answer.

    arguments: a JSON object, as text.
    result: what it gave back; None where the answer was stopped before it did.
    said_before: how many characters of the message's text were there when it was called.
    """

    id: str
    name: str
    arguments: str
    result: str | None
    said_before: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation's transcript.

    position: from 1, no gaps, in its conversation.
    """

    id: MessageId
    conversation_id: ConversationId
    run_id: RunId
    position: int
    role: Role
    content: str
    created_at: datetime
    citations: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()


class LogMark(NamedTuple):
    """Where a conversation's log stood when all that it had said was on disk.

    From here a log that was lost goes on with the same numbers: a reader that is as far misses
    nothing, and any other is told the stored messages.

    epoch: which life of the log; changed where numbers may have been given that nobody knows.
    head: sequence of the last event; 0 before the first.
    messages: how many stored messages the events up to the head amount to.
    """

    epoch: str
    head: int
    messages: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its messages."""

    id: ConversationId
    tenant_id: TenantId
    owner: PrincipalId
    title: str
    message_count: int
    log: LogMark
    created_at: datetime
    updated_at: datetime
