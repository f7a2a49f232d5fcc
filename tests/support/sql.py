"""Real databases with every table, and callers to use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from app.infra.sql.engine import Database
from app.infra.sql.schema import metadata, migrate
from core.ids import ConversationId, MessageId, PrincipalId, RunId, TenantId
from core.principal import LOCAL, Principal
from core.runs import OnBusy, RunRequest, UserMessage
from tests.support.postgres_server import PostgresServer

EMPTY_SECONDS = 10
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


@asynccontextmanager
async def migrated_postgres(server: PostgresServer) -> AsyncIterator[str]:
    """Give the URL of a database on the server, with the present schema and no rows."""
    url = server.spare.pop() if server.spare else await _new_postgres(server)
    yield url
    # A test that failed may have left anything: its database is not used again.
    await _empty(url)
    server.spare.append(url)


async def _new_postgres(server: PostgresServer) -> str:
    url = server.new_database()
    database = Database.postgres(url)
    await migrate(database)
    await database.close()
    return url


async def _empty(url: str) -> None:
    tables = ", ".join(metadata().tables)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f"SET lock_timeout = '{EMPTY_SECONDS}s'")
        await connection.execute(f"TRUNCATE {tables}".encode())


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
