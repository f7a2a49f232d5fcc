"""Turns runs and messages into rows and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.conversations import Citation, LogMark, Message, Role, ToolCall
from core.ids import ConversationId, MessageId, PrincipalId, RunId, TenantId
from core.principal import Principal
from core.runs import Run, RunRequest, RunStatus, UserMessage
from core.storable_text import storable

# A row's columns by name, as the driver gives them.
Columns = Mapping[str, Any]


def run_values(request: RunRequest, now: datetime) -> dict[str, object]:
    """Return the columns of a run that waits, and continues none."""
    return {
        "id": request.run_id,
        "tenant_id": request.principal.tenant_id,
        "principal": request.principal.id,
        "roles": sorted(request.principal.roles),
        "conversation_id": request.conversation_id,
        "root_id": "",
        "status": RunStatus.QUEUED,
        "attempt": 0,
        "handovers": 0,
        "collection": request.collection,
        "message_id": request.message.id,
        "message": storable(request.message.content),
        "message_position": 0,
        "messages_before": 0,
        "cancel_requested": False,
        "is_active": False,
        "fence": 0,
        "owner": "",
        "taken_at": None,
        "error_code": None,
        "error_message": None,
        "usage": [],
        "asks": [],
        "created_at": now,
    }


def begun_values(conversation: Columns, node: str, now: datetime) -> dict[str, object]:
    """Return the columns that are different for a run that begins at once.

    conversation: its row, with this run and its question counted.
    """
    return {
        "status": RunStatus.RUNNING,
        "attempt": 1,
        "message_position": conversation["message_count"],
        "messages_before": conversation["message_count"] - 1,
        "is_active": True,
        "fence": conversation["fence"],
        "owner": node,
        "taken_at": now,
    }


def run_of(row: Columns) -> Run:
    """Return the run of a row of `runs` with the log's columns of its conversation."""
    return Run(
        id=RunId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        principal=_principal_of(row),
        status=RunStatus(row["status"]),
        attempt=row["attempt"],
        message=UserMessage(MessageId(row["message_id"]), row["message"]),
        message_position=row["message_position"],
        messages_before=row["messages_before"],
        collection=row["collection"],
        created_at=row["created_at"],
        log=log_of(row),
        root_id=RunId(row["root_id"] or row["id"]),
        fence=row["fence"],
        handovers=row["handovers"],
        waited_seconds=_waited_seconds(row),
        cancel_requested=row["cancel_requested"],
        error_code=row["error_code"],
        error_message=row["error_message"],
    )


def _principal_of(row: Columns) -> Principal:
    roles: list[str] = row["roles"]
    caller, tenant = PrincipalId(row["principal"]), TenantId(row["tenant_id"])
    return Principal(caller, tenant, frozenset(roles))


def log_of(row: Columns) -> LogMark:
    """Return the mark of a row with a conversation's columns."""
    return LogMark(row["log_epoch"], row["log_head"], row["log_messages"])


def _waited_seconds(row: Columns) -> float:
    taken_at: datetime | None = row["taken_at"]
    created_at: datetime = row["created_at"]
    return 0.0 if taken_at is None else (taken_at - created_at).total_seconds()


def message_values(message: Message) -> dict[str, object]:
    """Return the columns of a message, but for its tenant."""
    return {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "run_id": message.run_id,
        "position": message.position,
        "role": message.role,
        "content": storable(message.content),
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
