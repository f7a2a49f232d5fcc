"""REST for conversations and their transcripts."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api.caller import Caller
from app.api.cursor import decode_cursor, encode_cursor
from app.turns.conversations import Conversations
from core.conversations import Citation, Conversation, Message, Role, ToolCall
from core.events import Interrupt
from core.ids import ConversationId
from core.ports.conversation_store import ConversationMark

PAGE = 50
PAGE_MAX = 200
TITLE_MAX = 200

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]


class ConversationBody(BaseModel):
    """A conversation without its messages."""

    id: str
    title: str
    message_count: int
    created_at: datetime
    updated_at: datetime


class ConversationPage(BaseModel):
    """Conversations, the last changed first. `next_cursor` is null on the last page."""

    conversations: list[ConversationBody]
    next_cursor: str | None


class MessageBody(BaseModel):
    """One message. `position` counts from 1 without gaps."""

    id: str
    run_id: str
    position: int
    role: Role
    content: str
    citations: list[Citation]
    tool_calls: list[ToolCall]
    created_at: datetime


class MessagePage(BaseModel):
    """Messages in order. `next_cursor` is null on the last page."""

    messages: list[MessageBody]
    next_cursor: str | None


class InterruptList(BaseModel):
    """AG-UI's interrupts that wait for an answer."""

    interrupts: list[Interrupt]


class Rename(BaseModel):
    """A new title."""

    title: str = Field(min_length=1, max_length=TITLE_MAX)


def conversation_routes(conversations: Conversations) -> APIRouter:
    """Return the routes under `/conversations`."""
    router = APIRouter(prefix="/conversations", tags=["conversations"])

    @router.get("")
    async def list_conversations(
        caller: Caller, limit: Limit = PAGE, cursor: str | None = None
    ) -> ConversationPage:
        """List the caller's conversations."""
        before = _mark_of(cursor) if cursor else None
        found = await conversations.list(caller, limit, before)
        more = encode_cursor(found[-1].updated_at, found[-1].id) if len(found) == limit else None
        return ConversationPage(conversations=[_body(one) for one in found], next_cursor=more)

    @router.get("/{conversation_id}")
    async def get_conversation(conversation_id: str, caller: Caller) -> ConversationBody:
        """Return one conversation."""
        return _body(await conversations.get(caller, _id(conversation_id)))

    @router.patch("/{conversation_id}")
    async def rename_conversation(
        conversation_id: str, body: Rename, caller: Caller
    ) -> ConversationBody:
        """Change the title."""
        return _body(await conversations.rename(caller, _id(conversation_id), body.title))

    @router.delete("/{conversation_id}", status_code=204)
    async def delete_conversation(conversation_id: str, caller: Caller) -> None:
        """Delete it with its messages and checkpoints."""
        await conversations.delete(caller, _id(conversation_id))

    @router.get("/{conversation_id}/messages")
    async def list_messages(
        conversation_id: str,
        caller: Caller,
        limit: Limit = PAGE_MAX,
        cursor: Annotated[int, Query(ge=0)] = 0,
    ) -> MessagePage:
        """Return the transcript after the message at position `cursor`."""
        found = await conversations.messages(caller, _id(conversation_id), cursor, limit)
        more = str(found[-1].position) if len(found) == limit else None
        return MessagePage(messages=[_message(one) for one in found], next_cursor=more)

    @router.get("/{conversation_id}/interrupts")
    async def list_interrupts(conversation_id: str, caller: Caller) -> InterruptList:
        """Return what the conversation's last run asked and nobody has answered, oldest first.

        It is answered by a run whose input has `resume`.
        """
        found = await conversations.interrupts(caller, _id(conversation_id))
        return InterruptList(interrupts=list(found))

    return router


def _id(text: str) -> ConversationId:
    return ConversationId(text.lower())


def _body(conversation: Conversation) -> ConversationBody:
    return ConversationBody(
        id=conversation.id,
        title=conversation.title,
        message_count=conversation.message_count,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _message(message: Message) -> MessageBody:
    return MessageBody(
        id=message.id,
        run_id=message.run_id,
        position=message.position,
        role=message.role,
        content=message.content,
        citations=list(message.citations),
        tool_calls=list(message.tool_calls),
        created_at=message.created_at,
    )


def _mark_of(cursor: str) -> ConversationMark:
    updated_at, conversation_id = decode_cursor(cursor)
    return ConversationMark(updated_at, ConversationId(conversation_id))
