"""Turns one assistant message into events while it is made: the lane of every token."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from core import events
from core.conversations import Citation
from core.ids import MessageId
from core.storable_text import storable


class MessageTranscriber:
    """See `MessageSink`. The message begins with its first text; an empty one is never told.

    id: the message's id.
    citations: what `cite` was given.
    """

    __slots__ = ("_append", "_content", "_is_open", "_parts", "_reasoning_open", "citations", "id")

    def __init__(self, message_id: MessageId, append: Callable[[Sequence[str]], None]) -> None:
        self.id = message_id
        self.citations: tuple[Citation, ...] = ()
        self._append = append
        self._content = events.TextEvents(message_id)
        self._parts: list[str] = []
        self._is_open = False
        self._reasoning_open = False

    @property
    def said(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        if not delta:
            return
        if not delta.isascii() or "\0" in delta:
            delta = storable(delta)
        self._parts.append(delta)
        if self._is_open:
            self._append((self._content.encode(delta),))
            return
        self._begin(delta)

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        if not delta or self._is_open:
            return
        said: list[events.BaseEvent] = []
        if not self._reasoning_open:
            self._reasoning_open = True
            said.append(events.ReasoningStartEvent(message_id=self._reasoning_id))
            said.append(
                events.ReasoningMessageStartEvent(message_id=self._reasoning_id, role="reasoning")
            )
        said.append(events.ReasoningMessageContentEvent(message_id=self._reasoning_id, delta=delta))
        self._append([events.encode(event) for event in said])

    def cite(self, citations: Sequence[Citation]) -> None:
        """See `MessageSink`."""
        if not citations or not self._is_open:
            return
        self.citations = tuple(citations)
        value = {"messageId": self.id, "citations": [asdict(citation) for citation in citations]}
        self._append((events.encode(events.CustomEvent(name=events.CITATIONS, value=value)),))

    def close(self) -> None:
        """See `MessageSink`. May be called twice."""
        self._close_reasoning()
        if self._is_open:
            self._is_open = False
            self._append((events.encode(events.TextMessageEndEvent(message_id=self.id)),))

    def _begin(self, delta: str) -> None:
        self._close_reasoning()
        self._is_open = True
        start = events.TextMessageStartEvent(message_id=self.id, role="assistant")
        self._append((events.encode(start), self._content.encode(delta)))

    def _close_reasoning(self) -> None:
        if not self._reasoning_open:
            return
        self._reasoning_open = False
        ends = (
            events.ReasoningMessageEndEvent(message_id=self._reasoning_id),
            events.ReasoningEndEvent(message_id=self._reasoning_id),
        )
        self._append([events.encode(event) for event in ends])

    @property
    def _reasoning_id(self) -> str:
        return f"{self.id}-reasoning"
