"""Reads DATABASE_URL: where Postgres is, and what every connection to it has in common."""

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import SettingsError

SCHEMES = ("postgresql", "postgresql+psycopg", "postgres")
# A server that went away without a word is noticed within seconds, not by the system's default
# of two hours.
COMMON: dict[str, str | int | None] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "client_encoding": "utf8",
    "application_name": "colloquy",
}


def connection_string(url: str, **settings: str | int) -> str:
    """Return what the driver understands; what the URL itself says wins.

    url: as DATABASE_URL has it, or what this function returned. Raises `SettingsError`.
    """
    return make_conninfo("", **{**COMMON, **settings, **_parts(url)})


def place_of(url: str) -> str:
    """Return where the database is, without user and password, for logs and messages."""
    parts = _parts(url)
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"{host}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _parts(url: str) -> dict[str, str | int | None]:
    scheme, mark, rest = url.partition("://")
    try:
        if not mark:
            return dict(conninfo_to_dict(url))
        if scheme in SCHEMES:
            return dict(conninfo_to_dict(f"postgresql://{rest}"))
    except Error:
        # The driver's own words may quote the password.
        pass
    raise SettingsError(
        "DATABASE_URL: it has to be like postgresql://user:password@host:5432/name."
    ) from None
