"""Nodes that tell each other whether the log is there for them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go one step forward."""
    # What it says is worth nothing after a crash of the server: no beat has to wait for its disk.
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_steady_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nodes")),
        prefixes=["UNLOGGED"] if is_postgres else [],
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    """Go one step back."""
    op.drop_table("nodes")
