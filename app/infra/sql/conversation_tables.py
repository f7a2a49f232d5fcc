"""The tables of conversations, their messages and their runs."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.sql.base import Base
from app.infra.sql.utc_datetime import UtcDateTime


class ConversationRow(Base):
    """A conversation. `message_count` is the last position in `messages`.

    `fence` is that of the run that was taken last; the three of the log are its `LogMark`.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "tenant_id", "owner", "updated_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    owner: Mapped[str]
    title: Mapped[str]
    message_count: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    log_epoch: Mapped[str] = mapped_column(server_default="")
    log_head: Mapped[int] = mapped_column(BigInteger, server_default="0")
    log_messages: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MessageRow(Base):
    """One message of a transcript; `position` counts from 1 without gaps.

    A client chooses the ids of its messages, so they are unique in their conversation only.
    """

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("conversation_id", "position"),)

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    run_id: Mapped[str]
    position: Mapped[int]
    role: Mapped[str]
    content: Mapped[str] = mapped_column(Text)
    citations: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    tool_calls: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RunRow(Base):
    """One user message on its way to its last event.

    The message waits here until the run is taken: its place in the transcript is after all
    that was said before it. `ordinal` is the order of admission.

    `is_active` from when the run is taken until its end is told; meanwhile `owner` is the node
    that has it, on Postgres until `lease_until`. `taken_at` is when the last one took it,
    `handovers` how many of the attempts were given away in good order.

    `root_id` is the run that this one continues, empty where it continues none. `roles` are the
    caller's, for whoever takes the run. `asks` are the ids of the questions it ended with.
    """

    __tablename__ = "runs"
    __table_args__ = (
        # One run at a time for a conversation, whoever asks: the database holds it. Lost runs are
        # looked for here too: an index of leases would be rewritten with every beat.
        Index(
            "uq_runs_active",
            "conversation_id",
            unique=True,
            sqlite_where=text("is_active = 1"),
            postgresql_where=text("is_active"),
        ),
        Index(
            "ix_runs_waiting",
            "conversation_id",
            "ordinal",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
        Index(None, "status", "ordinal"),
        Index(None, "conversation_id", "ordinal"),
        Index(None, "id", unique=True),
    )

    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str]
    tenant_id: Mapped[str]
    principal: Mapped[str]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    root_id: Mapped[str] = mapped_column(server_default="")
    roles: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    status: Mapped[str]
    attempt: Mapped[int]
    collection: Mapped[str]
    message_id: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    message_position: Mapped[int]
    messages_before: Mapped[int]
    cancel_requested: Mapped[bool]
    is_active: Mapped[bool] = mapped_column(server_default=false())
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    owner: Mapped[str] = mapped_column(server_default="")
    handovers: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    usage: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    asks: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
