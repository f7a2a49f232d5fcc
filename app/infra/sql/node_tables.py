"""The table of the nodes themselves."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.infra.sql.base import Base
from app.infra.sql.utc_datetime import UtcDateTime


class NodeRow(Base):
    """One server process that shares its log with others; it is no tenant's.

    By the database's clock: when it last beat, when the log last answered it, and since when
    answers had come without a break by then. Each beat writes these three, so none is in an
    index, and pages have room for the next version of their rows.
    """

    __tablename__ = "nodes"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    log_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    log_steady_since: Mapped[datetime] = mapped_column(UtcDateTime)
