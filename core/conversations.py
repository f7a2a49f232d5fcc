"""Words for what people and the assistant said to each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    """

    id: str
    name: str
    arguments: str
    result: str | None


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


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its messages."""

    id: ConversationId
    tenant_id: TenantId
    owner: PrincipalId
    title: str
    message_count: int
    created_at: datetime
    updated_at: datetime
