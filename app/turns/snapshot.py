"""Tells a stored transcript as one event."""

from collections.abc import Sequence
from dataclasses import asdict

from core import events
from core.conversations import Message, Role
from core.ports.event_log import EventBatch, LogBounds


def snapshot_batch(bounds: LogBounds, messages: Sequence[Message]) -> EventBatch:
    """Return the snapshot that stands for every event up to the log's base."""
    return EventBatch(None, bounds.epoch, bounds.base, (events.encode(snapshot(messages)),))


def snapshot(messages: Sequence[Message]) -> events.MessagesSnapshotEvent:
    """Return the transcript as AG-UI's snapshot; what AG-UI has no word for is in metadata."""
    told = [part for message in messages for part in agui_messages(message)]
    return events.MessagesSnapshotEvent(messages=told)


def agui_messages(message: Message) -> list[events.Message]:
    """Return a stored message as AG-UI knows it: what a tool gave back is a message of its own."""
    if message.role is Role.USER:
        return [events.UserMessage(id=message.id, content=message.content)]
    return [_answer(message), *_tool_results(message)]


def tool_message_id(call_id: str) -> str:
    """Return the id of the message that holds what a tool gave back."""
    return f"{call_id}-result"


def _answer(message: Message) -> events.AssistantMessage:
    calls = [
        events.ToolCall(
            id=call.id,
            function=events.FunctionCall(name=call.name, arguments=call.arguments),
        )
        for call in message.tool_calls
    ]
    return events.AssistantMessage(
        id=message.id,
        content=message.content,
        tool_calls=calls or None,
        metadata=_metadata(message) or None,
    )


def _metadata(message: Message) -> dict[str, object]:
    """Return the citations, and how much of the text was said before each of the calls."""
    metadata: dict[str, object] = {}
    if message.citations:
        metadata["citations"] = [asdict(citation) for citation in message.citations]
    places = {call.id: call.said_before for call in message.tool_calls if call.said_before}
    if places:
        metadata["saidBeforeCalls"] = places
    return metadata


def _tool_results(message: Message) -> list[events.Message]:
    return [
        events.ToolMessage(id=tool_message_id(call.id), tool_call_id=call.id, content=call.result)
        for call in message.tool_calls
        if call.result is not None
    ]
