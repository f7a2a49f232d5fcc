"""A database for tools is read, and only read, on SQLite and on Postgres."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from app.infra.query.postgres_read_only_database import PostgresReadOnlyDatabase
from app.infra.query.read_only_database import read_only_database
from app.infra.query.sqlite_read_only_database import SqliteReadOnlyDatabase
from core.errors import StorageUnavailable
from core.ports.query import QueryRefused, ReadOnlyDatabase
from tests.support.postgres_server import PostgresServer

SECONDS = 10.0
SCHEMA = (
    "CREATE TABLE shop (id integer PRIMARY KEY, name text, price real)",
    "CREATE TABLE visit (shop integer, day date)",
    "CREATE VIEW cheap AS SELECT name FROM shop WHERE price < 2",
    "INSERT INTO shop VALUES (1, 'Bakery', 1.5), (2, 'Café', 3.0), (3, NULL, NULL)",
)
ROLE = "tool_reader"
# What none may do, each begun like a query where a query can begin so.
WRITES = (
    "INSERT INTO shop VALUES (9, 'x', 1)",
    "UPDATE shop SET name = 'x'",
    "DELETE FROM shop",
    "DROP TABLE shop",
    "CREATE TABLE other (id integer)",
    "CREATE TEMPORARY TABLE other (id integer)",
    "SELECT 1; DELETE FROM shop",
    "SELECT 1; COMMIT; DELETE FROM shop",
    "WITH gone AS (DELETE FROM shop RETURNING id) SELECT * FROM gone",
    "WITH a AS (SELECT 1) DELETE FROM shop",
    "EXPLAIN ANALYZE DELETE FROM shop",
    "EXPLAIN SELECT 1; DELETE FROM shop",
    "SELECT 1) AS a; DELETE FROM shop; SELECT 1 FROM (SELECT 1",
    "SELECT 1 /* ; */; DELETE FROM shop --",
    "COMMIT",
    "BEGIN",
    "VACUUM",
    "REINDEX",
)
SQLITE_WRITES = (
    "ATTACH DATABASE 'other.sqlite' AS other",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 7",
    "SELECT * FROM pragma_user_version",
    "SELECT load_extension('evil')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT writefile('x', 'y')",
    "VACUUM INTO 'copy.sqlite'",
    "WITH a AS (SELECT 1) INSERT INTO shop SELECT 9, 'x', 1 FROM a",
    "REPLACE INTO shop VALUES (1, 'x', 1)",
    "WITH a AS (SELECT 1) UPDATE sqlite_master SET sql = ''",
    "WITH a AS (SELECT 1) DELETE FROM sqlite_master",
)
POSTGRES_WRITES = (
    "SELECT * INTO other FROM shop",
    "SELECT * FROM shop FOR UPDATE",
    "SELECT nextval('counter')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "WITH a AS (SELECT set_config('transaction_read_only', 'off', true)), b AS"
    " (SELECT change() FROM a) SELECT * FROM b",
    "SELECT change()",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_export(0, '/tmp/x')",
    "SELECT pg_reload_conf()",
    "SELECT * FROM secret",
    "COPY shop TO '/tmp/x'",
    "COPY shop TO PROGRAM 'true'",
    "SET TRANSACTION READ WRITE",
    "EXPLAIN ANALYZE SELECT change()",
)


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    path = tmp_path / "a shop?.sqlite"
    with sqlite3.connect(path) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
    connection.close()
    return path


@pytest.fixture
async def sqlite_database(sqlite_path: Path) -> AsyncIterator[SqliteReadOnlyDatabase]:
    database = SqliteReadOnlyDatabase(sqlite_path)
    yield database
    await database.close()


@pytest.fixture(scope="module")
def owner_url(postgres: PostgresServer) -> str:
    """A database as its owner sees it, with a role that is no superuser; one for all tests."""
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in SCHEMA:
            connection.execute(statement.encode())
        connection.execute("CREATE SEQUENCE counter")
        connection.execute("CREATE TABLE secret (word text)")
        connection.execute(
            "CREATE FUNCTION change() RETURNS int LANGUAGE sql AS 'DELETE FROM shop RETURNING id'"
        )
        connection.execute(f"CREATE ROLE {ROLE} LOGIN".encode())
        # More than a careful operator gives: what holds must hold without the rights.
        connection.execute(f"GRANT ALL ON shop, visit, cheap TO {ROLE}".encode())
        connection.execute(f"GRANT ALL ON SEQUENCE counter TO {ROLE}".encode())
        connection.execute(f"GRANT ALL ON SCHEMA public TO {ROLE}".encode())
    return url


@pytest.fixture
def postgres_database(postgres: PostgresServer, owner_url: str) -> PostgresReadOnlyDatabase:
    url = owner_url.replace("://colloquy@", f"://{ROLE}@")
    database = read_only_database(url, own_files=(), own_url="")
    assert isinstance(database, PostgresReadOnlyDatabase)
    return database


@pytest.fixture(params=["sqlite_database", "postgres_database"])
def database(request: pytest.FixtureRequest) -> ReadOnlyDatabase:
    chosen: ReadOnlyDatabase = request.getfixturevalue(request.param)
    return chosen


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def ask(database: ReadOnlyDatabase, sql: str, seconds: float = SECONDS) -> list[list[object]]:
    found = await database.query(sql, row_limit=100, seconds=seconds)
    return [list(row) for row in found.rows]


async def test_rows_come_with_their_columns_and_values(database: ReadOnlyDatabase) -> None:
    found = await database.query(
        "SELECT id, name, price FROM shop ORDER BY id;", row_limit=10, seconds=SECONDS
    )
    assert list(found.columns) == ["id", "name", "price"]
    assert found.rows == [[1, "Bakery", 1.5], [2, "Café", 3.0], [3, None, None]]
    assert not found.is_cut


async def test_columns_may_share_a_name_and_a_query_may_take_any_form(
    database: ReadOnlyDatabase,
) -> None:
    found = await database.query("SELECT 1 AS a, 2 AS a -- both", row_limit=1, seconds=SECONDS)
    assert (list(found.columns), found.rows) == (["a", "a"], [[1, 2]])
    assert await ask(database, "VALUES (1, 'x'), (2, '%s %(a)s %')") == [
        [1, "x"],
        [2, "%s %(a)s %"],
    ]
    assert await ask(database, "WITH a AS (SELECT 4 AS n) SELECT n FROM a") == [[4]]
    assert await ask(database, "EXPLAIN SELECT * FROM shop")
    assert await ask(database, "SELECT name FROM cheap") == [["Bakery"]]
    assert await ask(database, "SELECT * FROM visit") == []


async def test_no_more_rows_than_the_limit_come_back(database: ReadOnlyDatabase) -> None:
    for limit, is_cut in ((2, True), (3, False)):
        found = await database.query("SELECT id FROM shop", row_limit=limit, seconds=SECONDS)
        assert (len(found.rows), found.is_cut) == (limit, is_cut)


async def test_the_tables_are_described_with_their_columns(database: ReadOnlyDatabase) -> None:
    lines = (await database.describe()).lower().split("\n")
    assert [line.partition("(")[0] for line in lines] == ["cheap", "shop", "visit"]
    assert lines[1].startswith("shop(id integer, name text, price real")


@pytest.mark.parametrize("sql", WRITES)
async def test_nothing_is_written_whatever_the_statement_says(
    database: ReadOnlyDatabase, sql: str
) -> None:
    with pytest.raises(QueryRefused) as refused:
        await ask(database, sql)
    assert str(refused.value)
    assert await ask(database, "SELECT count(*) FROM shop") == [[3]]


@pytest.mark.parametrize("sql", SQLITE_WRITES)
async def test_sqlite_does_nothing_but_read(
    sqlite_database: SqliteReadOnlyDatabase, sqlite_path: Path, sql: str
) -> None:
    before = files_of(sqlite_path.parent)
    with pytest.raises(QueryRefused):
        await ask(sqlite_database, sql)
    assert files_of(sqlite_path.parent) == before


@pytest.mark.parametrize("sql", POSTGRES_WRITES)
async def test_postgres_does_nothing_but_read(
    postgres_database: PostgresReadOnlyDatabase, sql: str
) -> None:
    with pytest.raises(QueryRefused):
        await ask(postgres_database, sql)
    assert await ask(postgres_database, "SELECT count(*) FROM shop") == [[3]]
    assert await ask(postgres_database, "SELECT last_value, is_called FROM counter") == [[1, False]]


async def test_what_a_function_does_all_the_same_is_undone(
    postgres_database: PostgresReadOnlyDatabase, owner_url: str
) -> None:
    # Before Postgres 16 this is let through in a transaction that is read only.
    with contextlib.suppress(QueryRefused):
        await ask(postgres_database, "SELECT lo_create(0)")
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    assert found == (0,)


async def test_a_setting_that_a_statement_changes_is_gone_with_it(
    postgres_database: PostgresReadOnlyDatabase,
) -> None:
    await ask(postgres_database, "SELECT set_config('default_transaction_read_only', 'off', false)")
    await ask(postgres_database, "SELECT set_config('statement_timeout', '0', false)")
    shown = await ask(
        postgres_database,
        "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')",
    )
    assert shown == [["on", "10s"]]


async def test_a_statement_that_is_wrong_says_what_is_wrong(database: ReadOnlyDatabase) -> None:
    for sql, reason in (
        ("SELECT colour FROM shop", "colour"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT FROM WHERE", "syntax"),
    ):
        with pytest.raises(QueryRefused, match=reason):
            await ask(database, sql)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def test_a_statement_that_takes_too_long_is_interrupted(database: ReadOnlyDatabase) -> None:
    with pytest.raises(QueryRefused, match="too long"):
        await ask(database, ENDLESS, seconds=0.1)
    assert await ask(database, "SELECT 1") == [[1]]


async def test_statements_that_nobody_waits_for_any_more_leave_their_threads(
    sqlite_database: SqliteReadOnlyDatabase,
) -> None:
    asked = [asyncio.create_task(ask(sqlite_database, ENDLESS, seconds=60)) for _ in range(2)]
    await asyncio.sleep(0)
    await cancel(asked)
    assert await ask(sqlite_database, "SELECT 1") == [[1]]


async def test_statements_that_nobody_waits_for_any_more_leave_the_server(
    postgres_database: PostgresReadOnlyDatabase, owner_url: str
) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        asked = [asyncio.create_task(ask(postgres_database, ENDLESS, seconds=60)) for _ in range(4)]
        await until_running(connection, 4)
        await cancel(asked)
        await until_running(connection, 0)
    assert await ask(postgres_database, "SELECT 1") == [[1]]


async def cancel(tasks: list[asyncio.Task[list[list[object]]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)


async def until_running(connection: psycopg.Connection, count: int) -> None:
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%RECURSIVE%' AND state = 'active'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(SECONDS):
        while connection.execute(running.encode()).fetchone() != (count,):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_value_of_any_size_costs_little(
    postgres_database: PostgresReadOnlyDatabase,
) -> None:
    [[text, number]] = await ask(postgres_database, "SELECT repeat('x', 10000000), 1")
    assert (len(str(text)), number) == (4_001, 1)


async def test_a_large_value_is_refused_by_sqlite(sqlite_database: SqliteReadOnlyDatabase) -> None:
    with pytest.raises(QueryRefused, match="too big"):
        await ask(sqlite_database, "SELECT zeroblob(900000000)")


async def test_values_of_every_type_can_be_told(
    postgres_database: PostgresReadOnlyDatabase,
) -> None:
    [row] = await ask(
        postgres_database,
        "SELECT true, 9007199254740993, 1.10, 'NaN'::float8, date 'infinity', '{1,2}'::int[],"
        """ '{"a": 1}'::jsonb, row(1, 'x'), 'a'::bytea, now() IS NULL, pg_sleep(0), null""",
    )
    assert row[:7] == [True, 9007199254740993, "1.10", "nan", "infinity", "{1,2}", '{"a": 1}']
    assert row[7:] == ["(1,x)", "\\x61", False, "", None]


async def test_text_that_is_not_utf_8_is_told_all_the_same(
    sqlite_database: SqliteReadOnlyDatabase,
) -> None:
    assert await ask(sqlite_database, "SELECT CAST(x'ff41' AS TEXT), x'00'") == [
        ["�A", "(1 bytes)"]
    ]


async def test_full_text_search_works_read_only(sqlite_path: Path) -> None:
    with sqlite3.connect(sqlite_path) as connection:
        connection.execute("CREATE VIRTUAL TABLE page USING fts5(body)")
        connection.execute("INSERT INTO page VALUES ('opening hours')")
    connection.close()
    database = SqliteReadOnlyDatabase(sqlite_path)
    assert await ask(database, "SELECT body FROM page WHERE page MATCH 'hours'") == [
        ["opening hours"]
    ]
    await database.close()


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    database = SqliteReadOnlyDatabase(tmp_path / "none.sqlite")
    with pytest.raises(StorageUnavailable):
        await ask(database, "SELECT 1")
    await database.close()
    assert files_of(tmp_path) == {}


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, " * 1000)
    database = SqliteReadOnlyDatabase(tmp_path / "text")
    with pytest.raises(StorageUnavailable):
        await ask(database, "SELECT * FROM sqlite_master")
    await database.close()


async def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_told() -> None:
    url = "postgresql://reader:secret@127.0.0.1:1/shop"
    database = read_only_database(url, own_files=(), own_url="")
    with pytest.raises(StorageUnavailable) as away:
        await ask(database, "SELECT 1")
    assert "secret" not in str(away.value)


async def test_a_superuser_is_refused(owner_url: str) -> None:
    database = read_only_database(owner_url, own_files=(), own_url="")
    with pytest.raises(QueryRefused, match="may do anything"):
        await ask(database, "SELECT 1")
