"""The stores that the contracts are held to: every contract on every engine."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.infra.sql.engine import Database
from tests.support.postgres_server import PostgresServer
from tests.support.sql import migrated_database, migrated_postgres


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table and no rows."""
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            yield await stack.enter_async_context(migrated_database(tmp_path))
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            url = await stack.enter_async_context(migrated_postgres(server))
            database = Database.postgres(url)
            stack.push_async_callback(database.close)
            yield database
