"""A real SQLite database with every table, and callers to use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.infra.sql.engine import Database
from app.infra.sql.schema import migrate
from core.ids import ConversationId, MessageId, PrincipalId, RunId, TenantId
from core.principal import LOCAL, Principal
from core.runs import OnBusy, RunRequest, UserMessage

STRANGER = Principal(PrincipalId("stranger"), TenantId("elsewhere"))


@asynccontextmanager
async def migrated_database(folder: Path) -> AsyncIterator[Database]:
    """Give a database in `folder`, brought to the present schema as a server does it."""
    database = Database.sqlite(folder / "test.sqlite")
    await migrate(database)
    try:
        yield database
    finally:
        await database.close()


def run_request(
    run_id: str,
    conversation_id: str = "c",
    text: str = "How long do refunds take?",
    *,
    message_id: str | None = None,
    principal: Principal = LOCAL,
    on_busy: OnBusy = OnBusy.REJECT,
) -> RunRequest:
    """Return a request; its message's id is made of the run's unless it is given."""
    message = UserMessage(MessageId(message_id or f"question-{run_id}"), text)
    return RunRequest(RunId(run_id), ConversationId(conversation_id), principal, message, on_busy)
