"""Folds a conversation's events into what a client shows, as AG-UI's client does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Shown:
    """What a client shows.

    messages: (id, role, text) in their order.
    citations: by message id.
    endings: the last event of each run, by its kind.
    """

    messages: list[tuple[str, str, str]] = field(default_factory=list)
    citations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    endings: list[str] = field(default_factory=list)
    resumed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, event: dict[str, Any]) -> None:
        """Apply one event."""
        kind = event["type"]
        if kind == "RUN_STARTED":
            for message in event["input"]["messages"]:
                self._append(message["id"], message["role"], message["content"])
        elif kind == "TEXT_MESSAGE_START":
            self._append(event["messageId"], event["role"], "")
        elif kind == "TEXT_MESSAGE_CONTENT":
            self._extend(event["messageId"], event["delta"])
        elif kind == "TOOL_CALL_START":
            self._append(event["parentMessageId"], "assistant", "")
        elif kind == "MESSAGES_SNAPSHOT":
            self._replace(event["messages"])
        elif kind == "CUSTOM":
            self._add_custom(event["name"], event["value"])
        elif kind == "RUN_FINISHED":
            self.endings.append(event["outcome"]["type"])
        elif kind == "RUN_ERROR":
            self.endings.append(event["code"])

    def _add_custom(self, name: str, value: dict[str, Any]) -> None:
        if name == "citations":
            self.citations[value["messageId"]] = value["citations"]
        elif name == "run.resumed":
            self.resumed.append(value)

    def _append(self, key: str, role: str, text: str) -> None:
        if all(known != key for known, *_ in self.messages):
            self.messages.append((key, role, text))

    def _extend(self, key: str, delta: str) -> None:
        place = next(i for i, (known, *_) in enumerate(self.messages) if known == key)
        known, role, text = self.messages[place]
        self.messages[place] = (known, role, text + delta)

    def _replace(self, messages: list[dict[str, Any]]) -> None:
        self.messages = [
            (str(m["id"]), str(m["role"]), str(m.get("content", "")))
            for m in messages
            if m["role"] != "tool"
        ]
        for message in messages:
            metadata = message.get("metadata")
            if isinstance(metadata, dict) and "citations" in metadata:
                self.citations[str(message["id"])] = metadata["citations"]


def fold(events: Iterable[str]) -> Shown:
    """Return what a client shows after these encoded events."""
    shown = Shown()
    for event in events:
        shown.add(json.loads(event))
    return shown
