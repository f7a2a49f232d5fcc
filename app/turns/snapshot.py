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
    """Return the transcript as AG-UI's snapshot; citations are in a message's metadata."""
    return events.MessagesSnapshotEvent(messages=[agui_message(message) for message in messages])


def agui_message(message: Message) -> events.Message:
    """Return a stored message as AG-UI knows it."""
    if message.role is Role.USER:
        return events.UserMessage(id=message.id, content=message.content)
    citations = [asdict(citation) for citation in message.citations]
    return events.AssistantMessage(
        id=message.id,
        content=message.content,
        metadata={"citations": citations} if citations else None,
    )
