"""Lets a model's next reply go on in the message that its earlier words began."""

from typing import ClassVar

from core.ports.chat_model import ReplySink


class ContinuedReply:
    """See `ReplySink`. Puts a blank line between what was said before and the first new text."""

    SEPARATOR: ClassVar[str] = "\n\n"

    __slots__ = ("_has_begun", "_sink")

    def __init__(self, sink: ReplySink) -> None:
        self._sink = sink
        self._has_begun = False

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        if not self._has_begun and delta:
            self._has_begun = True
            delta = self.SEPARATOR + delta
        self._sink.text(delta)

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        self._sink.reasoning(delta)
