"""Tool calls on record, questions to people and their answers, notes, what was used."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RUN_COLUMNS = ("asks", "roles", "root_id")


def upgrade() -> None:
    """Go one step forward; a run from before continues none, and its caller has no roles."""
    op.add_column("runs", sa.Column("root_id", sa.String(), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("roles", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("runs", sa.Column("asks", sa.JSON(), nullable=False, server_default="[]"))
    _create_tool_calls()
    _create_asks()
    _create_notes()
    _create_spending()


def downgrade() -> None:
    """Go one step back."""
    for table in ("spending", "notes", "asks", "tool_calls"):
        op.drop_table(table)
    for column in RUN_COLUMNS:
        op.drop_column("runs", column)


def _create_tool_calls() -> None:
    op.create_table(
        "tool_calls",
        _text("root_id"),
        _text("call_id"),
        _text("tenant_id"),
        _text("conversation_id"),
        _text("run_id"),
        _text("tool"),
        _text("effect"),
        _text("arguments_hash"),
        _text("status"),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        _conversation("fk_tool_calls_conversation_id_conversations"),
        sa.PrimaryKeyConstraint("root_id", "call_id", name=op.f("pk_tool_calls")),
    )
    op.create_index("ix_tool_calls_conversation_id", "tool_calls", ["conversation_id"])


def _create_asks() -> None:
    question = ("root_id", "call_id", "kind", "number")
    op.create_table(
        "asks",
        sa.Column("ordinal", sa.Integer(), autoincrement=True, nullable=False),
        _text("id"),
        _text("tenant_id"),
        _text("conversation_id"),
        _text("root_id"),
        _text("run_id"),
        _text("call_id"),
        _text("kind"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("call_attempt", sa.Integer(), nullable=False),
        _text("tool"),
        _text("effect"),
        sa.Column("arguments", sa.Text(), nullable=False),
        _text("arguments_hash"),
        _moment("asked_at"),
        _moment("expires_at"),
        _text("decision", nullable=True),
        sa.Column("edited", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False, server_default=""),
        _moment("decided_at", nullable=True),
        _text("decided_by", nullable=True),
        _text("answered_by_run", nullable=True),
        _conversation("fk_asks_conversation_id_conversations"),
        sa.PrimaryKeyConstraint("ordinal", name=op.f("pk_asks")),
        sa.UniqueConstraint(*question, name=op.f("uq_asks_root_id_call_id_kind_number")),
    )
    op.create_index("ix_asks_id", "asks", ["id"], unique=True)
    op.create_index("ix_asks_conversation_id", "asks", ["conversation_id"])


def _create_notes() -> None:
    key = ("tenant_id", "principal", "key")
    op.create_table(
        "notes",
        sa.Column("ordinal", sa.Integer(), autoincrement=True, nullable=False),
        _text("id"),
        _text("tenant_id"),
        _text("principal"),
        _text("key"),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("ordinal", name=op.f("pk_notes")),
        sa.UniqueConstraint(*key, name=op.f("uq_notes_tenant_id_principal_key")),
    )
    op.create_index(
        "ix_notes_tenant_id_principal_ordinal", "notes", ["tenant_id", "principal", "ordinal"]
    )


def _create_spending() -> None:
    op.create_table(
        "spending",
        _text("tenant_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("principal"),
        sa.Column("tool_calls", sa.BigInteger(), nullable=False),
        sa.Column("model_calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("money", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "principal", name=op.f("pk_spending")),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _conversation(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["conversation_id"], ["conversations.id"], name=op.f(name), ondelete="CASCADE"
    )
