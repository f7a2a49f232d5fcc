"""Turns runs and messages into rows and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.conversations import Citation, Message, Role, ToolCall
from core.ids import ConversationId, MessageId, PrincipalId, RunId, TenantId
from core.principal import Principal
from core.runs import Run, RunRequest, RunStatus, UserMessage

LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)

# A row's columns by name, as the driver gives them.
Columns = Mapping[str, Any]


def run_values(
    request: RunRequest, status: RunStatus, position: int, now: datetime
) -> dict[str, object]:
    """Return the columns of a run that was just asked for."""
    return {
        "id": request.run_id,
        "tenant_id": request.principal.tenant_id,
        "principal": request.principal.id,
        "conversation_id": request.conversation_id,
        "status": status,
        "attempt": int(status is RunStatus.RUNNING),
        "collection": request.collection,
        "message_id": request.message.id,
        "message": request.message.content,
        "message_position": position,
        "messages_before": max(0, position - 1),
        "cancel_requested": False,
        "error_code": None,
        "error_message": None,
        "usage": [],
        "created_at": now,
    }


def run_of(row: Columns) -> Run:
    """Return the run of a row of `runs`."""
    return Run(
        id=RunId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        principal=Principal(PrincipalId(row["principal"]), TenantId(row["tenant_id"])),
        status=RunStatus(row["status"]),
        attempt=row["attempt"],
        message=UserMessage(MessageId(row["message_id"]), row["message"]),
        message_position=row["message_position"],
        messages_before=row["messages_before"],
        collection=row["collection"],
        created_at=row["created_at"],
        cancel_requested=row["cancel_requested"],
        error_code=row["error_code"],
        error_message=row["error_message"],
    )


def message_values(message: Message) -> dict[str, object]:
    """Return the columns of a message, but for its tenant."""
    return {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "run_id": message.run_id,
        "position": message.position,
        "role": message.role,
        "content": message.content,
        "citations": [asdict(citation) for citation in message.citations],
        "tool_calls": [asdict(call) for call in message.tool_calls],
        "created_at": message.created_at,
    }


def message_of(row: Columns) -> Message:
    """Return the message of a row of `messages`."""
    return Message(
        id=MessageId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        run_id=RunId(row["run_id"]),
        position=row["position"],
        role=Role(row["role"]),
        content=row["content"],
        created_at=row["created_at"],
        citations=tuple(Citation(**citation) for citation in row["citations"]),
        tool_calls=tuple(ToolCall(**call) for call in row["tool_calls"]),
    )
