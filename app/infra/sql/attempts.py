"""Says in SQL which attempt has a run."""

from sqlalchemy import ColumnElement, and_, bindparam, literal_column

from app.infra.sql.conversation_tables import RunRow

# In the statement's text: an index on some rows is used only for a condition that is known when
# the statement is planned.
QUEUED: ColumnElement[str] = literal_column("'queued'")
RUNNING: ColumnElement[str] = literal_column("'running'")


def run_is_held() -> ColumnElement[bool]:
    """Say that the run is the node's, in this attempt. Takes `run`, `of_fence`, `node`."""
    return and_(
        RunRow.id == bindparam("run"),
        RunRow.fence == bindparam("of_fence"),
        RunRow.owner == bindparam("node"),
    )


def run_is_at_work() -> ColumnElement[bool]:
    """Say that the run is at work in this attempt. Takes what `run_is_held` does."""
    return and_(run_is_held(), RunRow.status == RUNNING)
