"""Reads what a request to the stand-in asks for."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request counts for its answer.

    message: the text of the last user message; empty where there is none.
    round: how often the model has called tools since that message.
    results: what they gave back, in order.
    """

    message: str = ""
    round: int = 0
    results: tuple[str, ...] = ()
    offers_tools: bool = False
    streams: bool = False
    wants_usage: bool = False


def read_request(body: bytes) -> Asked:
    """Return what the body of a chat completion asks for. Raises `ValueError` where it is none."""
    request = json.loads(body)
    message, later = _last_user_message(request.get("messages", []))
    return Asked(
        message=message,
        round=sum(1 for each in later if each.get("tool_calls")),
        results=tuple(_text(each) for each in later if each.get("role") == "tool"),
        offers_tools=bool(request.get("tools")),
        streams=bool(request.get("stream")),
        wants_usage=bool((request.get("stream_options") or {}).get("include_usage")),
    )


def _last_user_message(messages: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].get("role") == "user":
            return _text(messages[place]), messages[place + 1 :]
    return "", []


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content)
