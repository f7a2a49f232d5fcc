"""Tells a question to the person as AG-UI's interrupt."""

import json

from app.turns.resume_input import APPROVAL_SCHEMA, OUTCOME_SCHEMA
from core import events
from core.tools import Ask, AskKind

APPROVAL_REASON = "tool_call"
OUTCOME_REASON = "tool_outcome_unknown"


def interrupt_of(ask: Ask) -> events.Interrupt:
    """Return the interrupt; its metadata are `{tool, arguments, argumentsHash, effect}`."""
    is_approval = ask.kind is AskKind.APPROVAL
    return events.Interrupt(
        id=ask.id,
        reason=APPROVAL_REASON if is_approval else OUTCOME_REASON,
        message=_question(ask),
        tool_call_id=ask.call_id,
        response_schema=APPROVAL_SCHEMA if is_approval else OUTCOME_SCHEMA,
        expires_at=ask.expires_at.isoformat(),
        metadata={
            "tool": ask.tool,
            "arguments": json.loads(ask.arguments or "{}"),
            "argumentsHash": ask.arguments_hash,
            "effect": ask.effect,
        },
    )


def _question(ask: Ask) -> str:
    if ask.kind is AskKind.APPROVAL:
        return f"May {ask.tool} be called with these arguments?"
    return (
        f"{ask.tool} was called, and the server was lost before it knew what came of it. "
        "It may have happened or not. Shall it be done again?"
    )
