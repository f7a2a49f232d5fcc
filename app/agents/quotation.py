"""Puts what others wrote into a prompt so that it stays a quotation."""

import re

from app.agents.turn import ToolResult

# A text from outside must not be able to end its own quotation.
_OUR_TAG = re.compile(r"<(?=/?(?:passages?|tool_results?|question)\b)", re.IGNORECASE)

# Nor to begin a message of another role: servers that run open models write the prompt out as one
# text with such marks in it, and some read the marks of a quotation as their own.
_ROLE_MARK = re.compile(
    r"<(?=[|｜][^\s<>]{1,40}[|｜]>|/?(?:start|end)_(?:of_turn|header_id)>|</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_RESULTS|AVAILABLE_TOOLS)\])"
)


def as_data(text: str) -> str:
    """Return a text without anything that a model could take for the prompt's own structure."""
    return _ROLE_MARK.sub("‹", _OUR_TAG.sub("‹", text))


def tool_result(result: ToolResult) -> str:
    """Return what a tool gave back, marked as such."""
    failed = "yes" if result["error"] else "no"
    # The name may be the model's own invention.
    name = re.sub(r'["<>\s]+', " ", result["tool"])
    text = as_data(result["text"])
    return f'<tool_result tool="{name}" failed="{failed}">{text}</tool_result>'
