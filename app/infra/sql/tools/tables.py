"""The tables of tool calls, questions to people, notes, and what was used."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.sql.base import Base
from app.infra.sql.utc_datetime import UtcDateTime


class ToolCallRow(Base):
    """One call, recorded before and after it is made.

    `run_id` and `fence` name the attempt that recorded something last; `attempts` counts how
    often it was begun. `result` is empty until it has ended.
    """

    __tablename__ = "tool_calls"
    __table_args__ = (Index(None, "conversation_id"),)

    root_id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    run_id: Mapped[str]
    tool: Mapped[str]
    effect: Mapped[str]
    arguments_hash: Mapped[str]
    status: Mapped[str]
    result: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AskRow(Base):
    """One question to a person about a call, and its answer.

    `run_id` asked it. `number` counts the questions of one kind about one call: it is asked again
    where nobody answered in time, and where a call that was repeated is lost again; `call_attempt`
    is how often that had been begun, 0 for an approval. `ordinal` is the order of asking.
    """

    __tablename__ = "asks"
    __table_args__ = (
        Index(None, "id", unique=True),
        Index(None, "conversation_id"),
        UniqueConstraint("root_id", "call_id", "kind", "number"),
    )

    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str]
    tenant_id: Mapped[str]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    root_id: Mapped[str]
    run_id: Mapped[str]
    call_id: Mapped[str]
    kind: Mapped[str]
    number: Mapped[int]
    call_attempt: Mapped[int]
    tool: Mapped[str]
    effect: Mapped[str]
    arguments: Mapped[str] = mapped_column(Text)
    arguments_hash: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[str | None]
    edited: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text, server_default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None]
    answered_by_run: Mapped[str | None]


class NoteRow(Base):
    """A person's note. `ordinal` is the order of saving."""

    __tablename__ = "notes"
    __table_args__ = (
        UniqueConstraint("tenant_id", "principal", "key"),
        Index(None, "tenant_id", "principal", "ordinal"),
    )

    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str]
    tenant_id: Mapped[str]
    principal: Mapped[str]
    key: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SpendingRow(Base):
    """What a person has used on one day, in UTC. The rows of a tenant's day lie side by side."""

    __tablename__ = "spending"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    principal: Mapped[str] = mapped_column(primary_key=True)
    tool_calls: Mapped[int] = mapped_column(BigInteger)
    model_calls: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    money: Mapped[float] = mapped_column(Double)
    seconds: Mapped[float] = mapped_column(Double)
