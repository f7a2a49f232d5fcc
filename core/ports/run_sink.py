"""The port through which a run says something: the fast lane past the graph."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import JsonValue

from core.conversations import Citation
from core.ids import MessageId
from core.ports.chat_model import ReplySink


class MessageSink(ReplySink, Protocol):
    """Takes one assistant message while it is made."""

    @property
    def said(self) -> str:
        """The text so far."""
        ...

    def cite(self, citations: Sequence[Citation]) -> None:
        """Name the sources of the message; once, before `close`."""
        ...

    def close(self) -> None:
        """End the message; nothing may follow."""
        ...


class RunSink(Protocol):
    """Takes everything a run says, in order. Every call is synchronous and never blocks."""

    def step_started(self, name: str) -> None:
        """Say that an agent is at work."""
        ...

    def step_finished(self, name: str) -> None:
        """Say that an agent is done."""
        ...

    def open_message(self, message_id: MessageId) -> MessageSink:
        """Begin an assistant message, or go on with one of this id that is open."""
        ...

    def tool_called(self, call_id: str, name: str, arguments: str) -> None:
        """Say, once for a call, that a tool is called; `arguments` is a JSON object."""
        ...

    def tool_answered(self, call_id: str, content: str) -> None:
        """Say, once for a call, what the tool gave back."""
        ...

    def notice(self, name: str, value: Mapping[str, JsonValue]) -> None:
        """Say something for which there is no other word: a custom event of `core.events`."""
        ...
