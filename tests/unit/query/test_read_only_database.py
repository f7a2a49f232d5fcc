from pathlib import Path

import pytest

from app.infra.query.gathered import CELL_CHARS, TOTAL_CHARS, GatheredRows
from app.infra.query.postgres_read_only_database import PostgresReadOnlyDatabase
from app.infra.query.read_only_database import read_only_database
from app.infra.query.sqlite_read_only_database import SqliteReadOnlyDatabase
from app.infra.query.statement import read_statement
from core.errors import SettingsError
from core.ports.query import QueryRefused

OWN = "postgresql://colloquy:secret@127.0.0.1/colloquy"


def chosen(url: str, own_files: tuple[Path, ...] = (), own_url: str = "") -> object:
    return read_only_database(url, own_files=own_files, own_url=own_url)


def test_the_url_says_what_kind_of_database_is_read(tmp_path: Path) -> None:
    assert isinstance(chosen(f"sqlite:///{tmp_path}/a.sqlite"), SqliteReadOnlyDatabase)
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert isinstance(chosen(f"{scheme}://reader@db/shop"), PostgresReadOnlyDatabase)


@pytest.mark.parametrize("url", ["mysql://secret@db/shop", "shop.sqlite", "postgresql://[secret"])
def test_a_url_of_anything_else_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(SettingsError, match="SQL_TOOL_URL") as refused:
        chosen(url)
    assert "secret" not in str(refused.value)


def test_the_servers_own_file_is_refused_however_it_is_written(tmp_path: Path) -> None:
    own = tmp_path / "own.sqlite"
    own.touch()
    (tmp_path / "link").symlink_to(own)
    for path in (own, tmp_path / "link", tmp_path / "x" / ".." / "own.sqlite"):
        with pytest.raises(SettingsError, match="own database"):
            chosen(f"sqlite:///{path}", own_files=(own,))


@pytest.mark.parametrize(
    "url",
    [
        OWN,
        "postgres://colloquy:other@localhost:5432/colloquy?sslmode=disable",
        "postgresql+psycopg://colloquy@[::1]/",
        "postgresql:///?user=colloquy",
    ],
)
def test_the_servers_own_postgres_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(SettingsError, match="own database"):
        chosen(url, own_url=OWN)


def test_another_role_in_the_servers_own_postgres_is_the_operators_choice() -> None:
    url = "postgresql://reader@127.0.0.1/colloquy"
    assert isinstance(chosen(url, own_url=OWN), PostgresReadOnlyDatabase)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " select 1 ; ",
        "-- why\nSELECT 1",
        "/* a */ (SELECT 1)",
        "WITH a AS (SELECT 1) x",
        "VALUES (1)",
        "EXPLAIN SELECT 1",
        "/**/--\n/**/select(1)",
    ],
)
def test_what_may_be_a_query_is_let_through_without_its_semicolon(sql: str) -> None:
    assert read_statement(sql) == sql.rstrip().removesuffix(";")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "DELETE FROM t",
        "-- SELECT 1",
        "/* SELECT",
        "PRAGMA x",
        "COPY t TO '/x'",
        "SELECTED",
        "SELECT '\x00'",
        "SELECT 1 --" + "x" * 10000,
        "CALL f()",
        "DO $$ $$",
        "SHOW all",
        "TABLE t",
    ],
)
def test_what_can_be_no_query_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused):
        read_statement(sql)


def test_rows_are_gathered_up_to_a_number_and_values_become_json() -> None:
    gathered = GatheredRows(["a", "b"], row_limit=2)
    assert gathered.take([None, True])
    assert gathered.take([1.5, b"12"])
    assert not gathered.take([1, 1])
    found = gathered.rows()
    assert (found.rows, found.is_cut) == ([[None, True], [1.5, "(2 bytes)"]], True)


def test_long_cells_are_cut_and_rows_end_where_they_are_too_much_together() -> None:
    gathered = GatheredRows(["a"], row_limit=1_000)
    while gathered.take(["x" * 10_000]):
        pass
    found = gathered.rows()
    assert found.is_cut
    assert found.rows[0] == ["x" * CELL_CHARS + "…"]
    assert len(found.rows) == TOTAL_CHARS // (CELL_CHARS + 1)
    assert not gathered.take(["small"])


def test_numbers_that_json_does_not_have_become_text() -> None:
    gathered = GatheredRows(["a", "b"], row_limit=1)
    gathered.take([float("inf"), float("nan")])
    assert gathered.rows().rows == [["inf", "nan"]]
