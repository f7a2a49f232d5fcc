"""A `RunSink` that writes down what it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from core.conversations import Citation
from core.ids import MessageId


@dataclass
class RecordedMessage:
    """See `MessageSink`. pieces: the text as it came, one entry a call."""

    id: MessageId
    log: list[str]
    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    is_closed: bool = False

    @property
    def whole(self) -> str:
        """The text so far."""
        return "".join(self.pieces)

    @property
    def said(self) -> str:
        """See `MessageSink`."""
        return self.whole

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        self._still_open()
        self.pieces.append(delta)

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        self._still_open()
        self.thoughts.append(delta)

    def cite(self, citations: Sequence[Citation]) -> None:
        """See `MessageSink`."""
        self._still_open()
        assert not self.citations, "cited twice"
        self.citations = tuple(citations)
        self.log.append("cited")

    def close(self) -> None:
        """See `MessageSink`."""
        self._still_open()
        self.is_closed = True
        self.log.append("closed")

    def _still_open(self) -> None:
        assert not self.is_closed, "something followed the end of the message"


@dataclass
class RecordingSink:
    """See `RunSink`.

    said: what happened, in order: `opened`, `cited`, `closed`, `call <id>`, `answer <id>`,
        `step <name>`, `done <name>`.
    notices: the custom events, in order.
    """

    said: list[str] = field(default_factory=list)
    messages: list[RecordedMessage] = field(default_factory=list)
    tool_calls: dict[str, tuple[str, str]] = field(default_factory=dict)
    tool_answers: dict[str, str] = field(default_factory=dict)
    notices: list[tuple[str, dict[str, JsonValue]]] = field(default_factory=list)

    @property
    def message(self) -> RecordedMessage:
        """The only message there is."""
        (message,) = self.messages
        return message

    def step_started(self, name: str) -> None:
        """See `RunSink`."""
        self.said.append(f"step {name}")

    def step_finished(self, name: str) -> None:
        """See `RunSink`."""
        self.said.append(f"done {name}")

    def open_message(self, message_id: MessageId) -> RecordedMessage:
        """See `RunSink`."""
        if self.messages and self.messages[-1].id == message_id:
            return self.messages[-1]
        self.said.append("opened")
        self.messages.append(RecordedMessage(message_id, self.said))
        return self.messages[-1]

    def tool_called(self, call_id: str, name: str, arguments: str) -> None:
        """See `RunSink`."""
        if call_id in self.tool_calls:
            return
        self.said.append(f"call {call_id}")
        self.tool_calls[call_id] = (name, arguments)

    def tool_answered(self, call_id: str, content: str) -> None:
        """See `RunSink`."""
        assert call_id in self.tool_calls, "answered before it was called"
        if call_id in self.tool_answers:
            return
        self.said.append(f"answer {call_id}")
        self.tool_answers[call_id] = content

    def notice(self, name: str, value: Mapping[str, JsonValue]) -> None:
        """See `RunSink`."""
        self.notices.append((name, dict(value)))
