"""The servers that tests of several rooms share: one of each for a test process."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.colloquy import RunningServer, server_process
from tests.support.model_server import ModelServer, model_server_process
from tests.support.postgres_server import PostgresServer, postgres_server
from tests.support.sql import migrated_postgres


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """A model behind HTTP that answers as the question's directive says."""
    with model_server_process() as server:
        yield server


@pytest.fixture(scope="session")
def with_model(model: ModelServer) -> dict[str, str]:
    """The settings by which a server uses that model."""
    return {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "key", "MODEL": "scripted"}


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, with_model: dict[str, str]
) -> Iterator[RunningServer]:
    """One server for all tests that leave it as it is; each has conversations of its own."""
    with server_process(tmp_path_factory.mktemp("data"), **with_model) as server:
        yield server


@pytest.fixture(scope="session")
def base_url(server: RunningServer) -> str:
    """Where the page is."""
    return server.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One Postgres for all tests of a process; each has a database of its own."""
    with postgres_server() as server:
        yield server


@pytest.fixture
async def postgres_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Where a database on Postgres is, with every table and no rows."""
    async with migrated_postgres(postgres) as url:
        yield url
