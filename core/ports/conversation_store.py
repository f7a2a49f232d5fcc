"""The port to conversations and their transcripts on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.conversations import Conversation, Message
from core.ids import ConversationId
from core.principal import Principal


@dataclass(frozen=True, slots=True)
class ConversationMark:
    """A place in the list of conversations, which is ordered by last change, newest first."""

    updated_at: datetime
    id: ConversationId


class ConversationStore(Protocol):
    """Keeps conversations; a call sees the caller's own only."""

    async def list(
        self, principal: Principal, limit: int, before: ConversationMark | None = None
    ) -> Sequence[Conversation]:
        """Return at most `limit` conversations, the last changed first, older than `before`."""
        ...

    async def get(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """Return the conversation. Raises `NotFound`."""
        ...

    async def rename(
        self, principal: Principal, conversation_id: ConversationId, title: str
    ) -> Conversation:
        """Change the title and return the conversation. Raises `NotFound`."""
        ...

    async def delete(self, principal: Principal, conversation_id: ConversationId) -> None:
        """Delete it with its messages and runs. Raises `NotFound`."""
        ...

    async def messages(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Message]:
        """Return messages with `after` < position <= `until`, in order, at most `limit`.

        Empty where there are none, or the conversation is not the caller's.
        """
        ...
