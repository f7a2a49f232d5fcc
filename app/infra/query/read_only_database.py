"""Chooses what reads the database that SQL_TOOL_URL names."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.infra.query.postgres_read_only_database import CONNECT_SECONDS, PostgresReadOnlyDatabase
from app.infra.query.sqlite_read_only_database import SqliteReadOnlyDatabase
from core.errors import SettingsError

_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = ("postgresql", "postgresql+psycopg", "postgres")
_COMMON: Final[dict[str, str | int]] = {
    "connect_timeout": CONNECT_SECONDS,
    "client_encoding": "utf8",
    "application_name": "colloquy-tool",
}


def read_only_database(
    url: str, *, own_files: Iterable[Path], own_url: str
) -> SqliteReadOnlyDatabase | PostgresReadOnlyDatabase:
    """Return what reads the database at `url`; nothing is opened yet.

    own_files, own_url: where this server keeps what it knows of everybody, which no tool may read:
    its SQLite files, and its Postgres, or empty. The same Postgres as another role is the
    operator's choice. Raises `SettingsError`.
    """
    if url.startswith(_SQLITE):
        path = Path(unquote(url.removeprefix(_SQLITE)))
        if path.absolute().resolve() in [own.absolute().resolve() for own in own_files]:
            raise _own()
        return SqliteReadOnlyDatabase(path)
    parts = _parts(url)
    if own_url and _place(parts) == _place(_parts(own_url)):
        raise _own()
    return PostgresReadOnlyDatabase(make_conninfo("", **{**_COMMON, **parts}))


def _parts(url: str) -> dict[str, str | int | None]:
    scheme, mark, rest = url.partition("://")
    try:
        if mark and scheme in _POSTGRES:
            return dict(conninfo_to_dict(f"postgresql://{rest}"))
    except Error:
        # The driver's own words may quote the password.
        pass
    raise SettingsError(
        "SQL_TOOL_URL: it has to be like sqlite:///folder/file.sqlite or"
        " postgresql://user:password@host:5432/name."
    ) from None


def _place(parts: dict[str, str | int | None]) -> Sequence[object]:
    """Return what two addresses of the same role in the same database have in common."""
    user = parts.get("user")
    host = str(parts.get("host") or parts.get("hostaddr") or "localhost").lower()
    local = host in ("localhost", "127.0.0.1", "::1")
    return (
        "localhost" if local else host,
        str(parts.get("port") or 5432),
        parts.get("dbname") or user,
        user,
    )


def _own() -> SettingsError:
    return SettingsError(
        "SQL_TOOL_URL: it names this server's own database, where everybody's conversations are;"
        " name another one, or another role with few rights."
    )
