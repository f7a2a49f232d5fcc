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
        match event:
            case {"type": "RUN_STARTED", "input": {"messages": [*messages]}}:
                for message in messages:
                    self._append(message["id"], message["role"], message["content"])
            case {"type": "TEXT_MESSAGE_START", "messageId": str(key), "role": str(role)}:
                self._append(key, role, "")
            case {"type": "TEXT_MESSAGE_CONTENT", "messageId": str(key), "delta": str(delta)}:
                self._extend(key, delta)
            case {"type": "MESSAGES_SNAPSHOT", "messages": [*messages]}:
                self._replace(messages)
            case {"type": "CUSTOM", "name": "citations", "value": {**value}}:
                self.citations[str(value["messageId"])] = list(value["citations"])
            case {"type": "CUSTOM", "name": "run.resumed", "value": {**value}}:
                self.resumed.append(dict(value))
            case {"type": "RUN_FINISHED", "outcome": {"type": str(outcome)}}:
                self.endings.append(outcome)
            case {"type": "RUN_ERROR", "code": str(code)}:
                self.endings.append(code)

    def _append(self, key: str, role: str, text: str) -> None:
        if all(known != key for known, *_ in self.messages):
            self.messages.append((key, role, text))

    def _extend(self, key: str, delta: str) -> None:
        place = next(i for i, (known, *_) in enumerate(self.messages) if known == key)
        known, role, text = self.messages[place]
        self.messages[place] = (known, role, text + delta)

    def _replace(self, messages: list[dict[str, Any]]) -> None:
        self.messages = [
            (str(m["id"]), str(m["role"]), str(m.get("content", ""))) for m in messages
        ]
        for message in messages:
            metadata = message.get("metadata")
            if isinstance(metadata, dict):
                self.citations[str(message["id"])] = metadata["citations"]


def fold(events: Iterable[str]) -> Shown:
    """Return what a client shows after these encoded events."""
    shown = Shown()
    for event in events:
        shown.add(json.loads(event))
    return shown
