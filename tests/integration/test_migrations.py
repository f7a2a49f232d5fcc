"""The migrations lead to the tables that the code knows, and back, on both engines."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.schema import MIGRATIONS, metadata, migrate
from core.clock import SystemClock
from core.ids import ConversationId
from core.ports.run_store import Ending, Finished
from core.principal import LOCAL
from core.runs import RunStatus
from tests.support.postgres_server import PostgresServer

# What a server of the first version left when it crashed: one conversation that is answered,
# one whose second question was being answered, with a third one waiting, and one just begun.
LEFT = """
INSERT INTO conversations (id, tenant_id, owner, title, message_count, created_at, updated_at)
VALUES
    ('done', 'local', 'local', 'A', 2, '2026-01-01', '2026-01-01'),
    ('half', 'local', 'local', 'B', 3, '2026-01-01', '2026-01-01'),
    ('new', 'local', 'local', 'C', 1, '2026-01-01', '2026-01-01');
INSERT INTO messages (conversation_id, id, tenant_id, run_id, position, role, content,
    citations, tool_calls, created_at)
VALUES
    ('done', 'm1', 'local', 'r1', 1, 'user', 'one', '[]', '[]', '2026-01-01'),
    ('done', 'm2', 'local', 'r1', 2, 'assistant', 'two', '[]', '[]', '2026-01-01');
INSERT INTO runs (id, tenant_id, principal, conversation_id, status, attempt, collection,
    message_id, message, message_position, messages_before, cancel_requested, usage, created_at)
VALUES
    ('r1', 'local', 'local', 'done', 'done', 1, 'default', 'm1', 'one', 1, 0, {false}, '[]',
        '2026-01-01'),
    ('r2', 'local', 'local', 'half', 'running', 1, 'default', 'm5', 'five', 3, 2, {false}, '[]',
        '2026-01-01'),
    ('r3', 'local', 'local', 'half', 'queued', 0, 'default', 'm6', 'six', 0, 0, {false}, '[]',
        '2026-01-01'),
    ('r4', 'local', 'local', 'new', 'running', 2, 'default', 'm7', 'seven', 1, 0, {false}, '[]',
        '2026-01-01');
"""


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = Database.sqlite(tmp_path / "test.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = Database.postgres(server.new_database())
    yield database
    await database.close()


def config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata()))

    await migrate(database)

    assert await database.read(differences) == []


async def test_a_second_start_changes_nothing(database: Database) -> None:
    await migrate(database)
    await migrate(database)


async def test_every_row_has_its_tenant_but_those_of_the_nodes() -> None:
    missing = [
        name for name, table in metadata().tables.items() if "tenant_id" not in table.columns
    ]
    assert missing == ["nodes"]


async def test_the_migrations_can_be_taken_back(database: Database) -> None:
    def downgrade(connection: Connection) -> set[str]:
        command.downgrade(config(connection), "base")
        return set(inspect(connection).get_table_names())

    await migrate(database)

    assert await database.write(downgrade) == {"alembic_version"}


async def test_nodes_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    databases = [Database.postgres(url) for _ in range(4)]

    async with asyncio.TaskGroup() as group:
        for database in databases:
            group.create_task(migrate(database))

    for database in databases:
        await database.close()


async def test_what_the_first_version_left_is_there_and_taken_over(database: Database) -> None:
    await database.write(leave)
    await migrate(database)
    runs = SqlRunStore(database, SystemClock(), "node", 60)
    conversations = SqlConversationStore(database)

    logs = {each.id: each.log for each in await conversations.list(LOCAL, 10)}
    assert {name: (log.head, log.messages) for name, log in logs.items()} == {
        "done": (1, 2),
        "half": (1, 2),
        "new": (0, 0),
    }
    assert len({log.epoch for log in logs.values()}) == 3
    said = await conversations.messages(LOCAL, ConversationId("done"))
    assert [message.content for message in said] == ["one", "two"]

    taken = [await runs.claim() for _ in range(3)]
    assert [run and (run.id, run.attempt, run.messages_before) for run in taken] == [
        ("r2", 2, 2),
        ("r4", 3, 0),
        None,
    ]
    assert taken[0] is not None
    finished = await runs.finish(taken[0], Ending(RunStatus.CANCELLED), is_told=True)
    assert finished == Finished(message_count=3, has_waiting=True)
    third = await runs.claim()
    assert third is not None
    assert (third.id, third.message_position) == ("r3", 4)


def leave(connection: Connection) -> None:
    command.upgrade(config(connection), "0001")
    false = "false" if connection.dialect.name == "postgresql" else "0"
    for statement in LEFT.format(false=false).split(";\n"):
        if statement.strip():
            connection.execute(text(statement))
