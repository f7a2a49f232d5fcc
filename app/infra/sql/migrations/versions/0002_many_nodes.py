"""Runs that any node can take over."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ACTIVE = {"sqlite": "is_active = 1", "postgresql": "is_active"}
CONVERSATION_COLUMNS = ("fence", "log_epoch", "log_head", "log_messages")
RUN_COLUMNS = ("is_active", "fence", "owner", "handovers", "lease_until", "taken_at")

# No log outlived the process that wrote it. What is stored is told at once, as its first event:
# all messages but those of a run that is to be taken over.
GIVE_LOGS = """
UPDATE conversations SET log_epoch = {random}, log_messages = COALESCE((
    SELECT messages_before FROM runs
    WHERE runs.conversation_id = conversations.id AND runs.status = 'running'
), message_count)
"""
BEGIN_LOGS = "UPDATE conversations SET log_head = 1 WHERE log_messages > 0"
# Nobody has these runs: whoever looks first takes them.
GIVE_AWAY = """
UPDATE runs SET is_active = {true}, lease_until = created_at WHERE status = 'running'
"""


def upgrade() -> None:
    """Go one step forward."""
    # Columns are added one by one: SQLite would copy the table for anything else, and dropping
    # the old one takes all messages with it.
    number, text = sa.BigInteger(), sa.String()
    op.add_column("conversations", _column("fence", number, "0"))
    op.add_column("conversations", _column("log_epoch", text, ""))
    op.add_column("conversations", _column("log_head", number, "0"))
    op.add_column("conversations", _column("log_messages", sa.Integer(), "0"))
    op.add_column("runs", _column("is_active", sa.Boolean(), sa.false()))
    op.add_column("runs", _column("fence", number, "0"))
    op.add_column("runs", _column("owner", text, ""))
    op.add_column("runs", _column("handovers", sa.Integer(), "0"))
    op.add_column("runs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    _fill()
    op.drop_index("uq_runs_running", "runs")
    is_active = ACTIVE[op.get_bind().dialect.name]
    _index("uq_runs_active", ["conversation_id"], is_active, unique=True)
    _index("ix_runs_waiting", ["conversation_id", "ordinal"], "status = 'queued'")


def downgrade() -> None:
    """Go one step back."""
    for index in ("uq_runs_active", "ix_runs_waiting"):
        op.drop_index(index, "runs")
    _index("uq_runs_running", ["conversation_id"], "status = 'running'", unique=True)
    for column in RUN_COLUMNS:
        op.drop_column("runs", column)
    for column in CONVERSATION_COLUMNS:
        op.drop_column("conversations", column)


def _column(
    name: str, kind: sa.types.TypeEngine[Any], default: str | sa.ColumnElement[bool]
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=default)


def _index(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "runs", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def _fill() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    random = "md5(random()::text || id)" if is_postgres else "lower(hex(randomblob(16)))"
    op.execute(GIVE_LOGS.format(random=random))
    op.execute(BEGIN_LOGS)
    op.execute(GIVE_AWAY.format(true="true" if is_postgres else "1"))
