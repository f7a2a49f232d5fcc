"""Tells a model what it has asked of tools since the question, and what they gave back."""

import re
from collections.abc import Iterator, Mapping, Sequence

from app.agents.quotation import tool_result
from app.agents.turn import DecisionState, ToolCall, ToolResult
from core.ports.chat_model import PromptMessage, WantedCall


def call_messages(
    decisions: Sequence[DecisionState], results: Sequence[ToolResult]
) -> list[PromptMessage]:
    """Return an assistant's message for each decision, and a tool's for each of its calls.

    Every call has its answer right behind it, a call without a result too: providers reject a
    prompt in which one is missing.
    """
    by_call = {result["call_id"]: result for result in results}
    messages: list[PromptMessage] = []
    number = 0
    for decision in decisions:
        ids = [_wire_id(number + place) for place in range(1, len(decision["calls"]) + 1)]
        number += len(ids)
        messages.append(_decided(decision, ids))
        messages += _answers(decision["calls"], ids, by_call)
    return messages


def _wire_id(number: int) -> str:
    # Mistral takes exactly nine letters and digits, OpenAI at most 40; ours are longer. Counted
    # from the first decision on, they stay the same from round to round, and so does the prompt.
    return f"call{number:05d}"


def _decided(decision: DecisionState, ids: Sequence[str]) -> PromptMessage:
    pairs = zip(ids, decision["calls"], strict=True)
    calls = tuple(
        WantedCall(wire, _wire_name(call["tool"]), call["arguments"]) for wire, call in pairs
    )
    return PromptMessage("assistant", decision["text"], calls=calls)


def _wire_name(tool: str) -> str:
    # A model may invent a name, and providers reject a prompt whose names they don't like.
    return re.sub(r"[^A-Za-z0-9_-]", "_", tool)[:64] or "unnamed"


def _answers(
    calls: Sequence[ToolCall], ids: Sequence[str], by_call: Mapping[str, ToolResult]
) -> Iterator[PromptMessage]:
    for wire, call in zip(ids, calls, strict=True):
        result = by_call.get(call["call_id"]) or _nothing(call)
        yield PromptMessage("tool", tool_result(result), call_id=wire)


def _nothing(call: ToolCall) -> ToolResult:
    return ToolResult(
        call_id=call["call_id"],
        tool=call["tool"],
        arguments=call["arguments"],
        text="The call was not made.",
        error=True,
    )
