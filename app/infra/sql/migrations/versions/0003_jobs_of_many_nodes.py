"""Jobs that any node can take over."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go one step forward; nobody has the jobs that are under way."""
    op.add_column("jobs", sa.Column("owner", sa.String(), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Go one step back."""
    op.drop_column("jobs", "lease_until")
    op.drop_column("jobs", "owner")
