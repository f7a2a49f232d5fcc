"""Reads what an abandoned attempt has said: what it left open, and whether the run has ended."""

import json
from collections.abc import Callable, Iterable, Sequence

from core import events

LAST_EVENTS = ("RUN_FINISHED", "RUN_ERROR")

# What opens something: the field that names it, and the event that closes it.
_OPENS: dict[str, tuple[str, Callable[[str], events.BaseEvent]]] = {
    "STEP_STARTED": ("stepName", lambda name: events.StepFinishedEvent(step_name=name)),
    "TEXT_MESSAGE_START": ("messageId", lambda key: events.TextMessageEndEvent(message_id=key)),
    "REASONING_START": ("messageId", lambda key: events.ReasoningEndEvent(message_id=key)),
    "REASONING_MESSAGE_START": (
        "messageId",
        lambda key: events.ReasoningMessageEndEvent(message_id=key),
    ),
    "TOOL_CALL_START": ("toolCallId", lambda key: events.ToolCallEndEvent(tool_call_id=key)),
}
_CLOSES = {
    "STEP_FINISHED": "STEP_STARTED",
    "TEXT_MESSAGE_END": "TEXT_MESSAGE_START",
    "REASONING_END": "REASONING_START",
    "REASONING_MESSAGE_END": "REASONING_MESSAGE_START",
    "TOOL_CALL_END": "TOOL_CALL_START",
}


class Leftovers:
    """What the earlier attempts at a run have said.

    is_begun: whether they said anything.
    has_ended: whether they said the run's last event.
    """

    def __init__(self, said: Iterable[str]) -> None:
        self.is_begun = False
        self.has_ended = False
        # By what opened it and its name; a dict keeps the order of opening.
        self._open: dict[tuple[str, str], events.BaseEvent] = {}
        for encoded in said:
            self._add(json.loads(encoded))

    def closings(self) -> Sequence[events.BaseEvent]:
        """Return the events that close what is open, the last opened first."""
        return tuple(reversed(self._open.values()))

    def _add(self, event: dict[str, str]) -> None:
        kind = event["type"]
        self.is_begun = True
        self.has_ended = self.has_ended or kind in LAST_EVENTS
        if kind in _OPENS:
            field, closing = _OPENS[kind]
            self._open[kind, event[field]] = closing(event[field])
        elif kind in _CLOSES:
            field, _ = _OPENS[_CLOSES[kind]]
            self._open.pop((_CLOSES[kind], event[field]), None)
