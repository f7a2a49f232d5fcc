"""Turns questions into rows and back."""

from collections.abc import Mapping
from typing import Any

from core.ids import ConversationId, RunId
from core.tools import Ask, AskKind, Decision, Effect

# A row's columns by name, as the driver gives them.
Columns = Mapping[str, Any]


def ask_of(row: Columns) -> Ask:
    """Return the question of a row of `asks`."""
    decision: str | None = row["decision"]
    return Ask(
        id=row["id"],
        kind=AskKind(row["kind"]),
        root_id=RunId(row["root_id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        call_id=row["call_id"],
        tool=row["tool"],
        arguments=row["arguments"],
        arguments_hash=row["arguments_hash"],
        effect=Effect(row["effect"]),
        expires_at=row["expires_at"],
        decision=None if decision is None else Decision(decision),
        edited=row["edited"],
        comment=row["comment"],
    )


def ask_values(ask: Ask, run: Columns, run_id: RunId) -> dict[str, object]:
    """Return the columns of a question that has no answer, but for its place and its moments.

    run: the row of the run that asks.
    """
    return {
        "id": ask.id,
        "tenant_id": run["tenant_id"],
        "conversation_id": run["conversation_id"],
        "root_id": ask.root_id,
        "run_id": run_id,
        "call_id": ask.call_id,
        "kind": ask.kind,
        "tool": ask.tool,
        "effect": ask.effect,
        "arguments": ask.arguments,
        "arguments_hash": ask.arguments_hash,
        "comment": "",
    }
