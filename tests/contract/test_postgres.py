"""What is promised of Postgres alone: its start, its errors, and how many processes use it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from signal import SIGQUIT

import pytest
from sqlalchemy import Connection, text

from app.infra.sql import postgres_sole_process
from app.infra.sql.engine import Database
from app.infra.sql.postgres_address import connection_string, place_of
from app.infra.sql.postgres_sole_process import sole_process
from app.infra.sql.postgres_start import open_postgres
from core.errors import SettingsError, StorageUnavailable
from tests.support.postgres_server import PostgresServer, postgres_server

NOBODY = "postgresql://ann:hunter2@127.0.0.1:9/chat?password=hunter3"
SUM = text("SELECT sum(n) FROM numbers")


@pytest.fixture
async def pool(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database without tables."""
    database = Database.postgres(postgres.new_database(), pool_size=4)
    yield database
    await database.close()


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with postgres_server() as server:
        yield server


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
async def test_every_usual_way_to_write_the_url_is_understood(
    postgres_url: str, scheme: str
) -> None:
    database = await open_postgres(postgres_url.replace("postgresql", scheme), 2)
    await database.close()


@pytest.mark.parametrize("url", ["mysql://ann:hunter2@host/chat", "postgresql://h?hunter2", "x"])
def test_an_url_of_something_else_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as refused:
        connection_string(url)

    assert "hunter2" not in str(refused.value)


def test_what_the_url_says_wins() -> None:
    said = connection_string("postgres://h/d?connect_timeout=77", connect_timeout=2)

    assert "connect_timeout=77" in said
    assert connection_string(said, connect_timeout=2) == said


async def test_a_server_that_is_not_there_is_one_sentence_without_the_password() -> None:
    with pytest.raises(SettingsError, match=r"DATABASE_URL.*127\.0\.0\.1:9/chat") as refused:
        await open_postgres(NOBODY, 2, patience_seconds=0.1)

    assert "hunter" not in str(refused.value)
    assert "ann" not in place_of(NOBODY)


async def test_a_server_that_starts_late_is_waited_for(own_server: PostgresServer) -> None:
    own_server.stop()
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(open_postgres(own_server.url(), 2))
        await asyncio.to_thread(own_server.start)
    await opening.result().close()


async def test_a_restart_of_the_server_is_one_failure_at_most(own_server: PostgresServer) -> None:
    database = Database.postgres(own_server.url(), pool_size=4)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(database.write(lambda connection: connection.execute(text(";"))))
    own_server.stop(SIGQUIT)
    with pytest.raises(StorageUnavailable):
        await database.ping()
    own_server.start()

    for _ in range(4):
        await database.ping()
    await database.close()


async def test_transactions_that_collide_are_done_anew(pool: Database) -> None:
    def add(connection: Connection) -> None:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        known = connection.scalar(SUM)
        connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": known})

    async with pool.writing() as connection:
        await connection.execute(text("CREATE TABLE numbers (n bigint)"))
        await connection.execute(text("INSERT INTO numbers VALUES (1)"))
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(pool.write(add))

    assert await pool.read(lambda connection: connection.scalar(SUM)) == 2**4


async def test_a_transaction_that_fails_leaves_nothing(pool: Database) -> None:
    async with pool.writing() as connection:
        await connection.execute(text("CREATE TABLE numbers (n bigint)"))

    def fail(connection: Connection) -> None:
        connection.execute(text("INSERT INTO numbers VALUES (1)"))
        raise KeyError

    with pytest.raises(KeyError):
        await pool.write(fail)
    with pytest.raises(StorageUnavailable):
        await pool.write(lambda connection: connection.execute(text("SELECT nonsense")))

    assert await pool.read(lambda connection: connection.scalar(SUM)) is None


async def test_a_process_that_wants_to_be_alone_is_refused_a_second_time(
    postgres_url: str,
) -> None:
    async with sole_process(postgres_url, shared=False):
        for shared in (False, True):
            with pytest.raises(SettingsError, match="WEBSOCKET_MANAGER_TYPE"):
                async with sole_process(postgres_url, shared=shared, patience_seconds=0.1):
                    pass
    async with sole_process(postgres_url, shared=True), sole_process(postgres_url, shared=True):
        with pytest.raises(SettingsError, match="memory"):
            async with sole_process(postgres_url, shared=False, patience_seconds=0.1):
                pass


async def test_a_process_is_alone_again_after_a_restart_of_the_server(
    own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_sole_process, "CHECK_SECONDS", 0.01)
    url = own_server.url()

    async def come_in_again_and_again() -> None:
        async with asyncio.timeout(20):
            while True:
                async with sole_process(url, shared=True, patience_seconds=0.1):
                    await asyncio.sleep(0.01)

    async with sole_process(url, shared=False) as hold, asyncio.TaskGroup() as group:
        holding = group.create_task(hold())
        own_server.stop(SIGQUIT)
        own_server.start()
        with pytest.raises(SettingsError):
            await come_in_again_and_again()
        holding.cancel()
