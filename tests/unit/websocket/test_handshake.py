"""Who may open a socket."""

import pytest

from app.infra.websocket.handshake import Refusal, refuse_handshake

ALLOWED = ("https://app.example.com", "http://localhost:5173")


def refuse(*headers: tuple[str, str], path: str = "/ws", scheme: str = "ws") -> Refusal | None:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return refuse_handshake(path, scheme, raw, ALLOWED)


def test_a_program_that_names_no_origin_may_come_in() -> None:
    assert refuse(("host", "127.0.0.1:8000")) is None


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_its_own_page_may_come_in(scheme: str, host: str) -> None:
    assert refuse(("host", host), ("origin", f"{scheme}://{host}")) is None


@pytest.mark.parametrize("origin", ALLOWED)
def test_an_allowed_page_may_come_in(origin: str) -> None:
    assert refuse(("host", "127.0.0.1:8000"), ("origin", origin)) is None


def test_a_site_that_lets_its_name_point_here_is_refused() -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil"):
        assert refuse(("host", host), ("origin", f"http://{host}")) is Refusal.FORBIDDEN
        assert refuse(("host", host), ("origin", ALLOWED[0])) is Refusal.FORBIDDEN
        assert refuse(("host", host)) is Refusal.FORBIDDEN


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "*",
        "file://",
        "http://",
        "https://",
        "127.0.0.1:8000",
        "//127.0.0.1:8000",
        "ftp://127.0.0.1:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:80",
        "http://127.0.0.1:8000/",
        "http://127.0.0.1:8000.evil.example",
        "http://127.0.0.1:8000@evil.example",
        "http://localhost:8000",
        "http://evil.example",
        "http://app.example.com",
        "https://app.example.com:443",
        "https://app.example.com.",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
        "https://evil.app.example.com",
        "https://example.com",
        "https://app.example.com, https://app.example.com",
        "https://app.example.com https://evil.example",
    ],
)
def test_any_other_origin_is_refused(origin: str) -> None:
    headers = (("host", "127.0.0.1:8000"), ("origin", origin))
    assert refuse(*headers) is Refusal.FORBIDDEN


def test_a_plain_page_may_not_use_an_encrypted_socket() -> None:
    headers = (("host", "localhost"), ("origin", "http://localhost"))
    assert refuse(*headers, scheme="ws") is None
    assert refuse(*headers, scheme="wss") is Refusal.FORBIDDEN


def test_two_origins_or_two_hosts_are_refused() -> None:
    host, origin = ("host", "localhost"), ("origin", "http://localhost")
    assert refuse(host, origin) is None
    assert refuse(host, origin, origin) is Refusal.FORBIDDEN
    assert refuse(host, host, origin) is Refusal.FORBIDDEN
    assert refuse(origin) is Refusal.FORBIDDEN


def test_there_is_one_path() -> None:
    assert refuse(("host", "localhost"), path="/") is Refusal.NOT_FOUND
    assert refuse(("host", "localhost"), path="/ws/") is Refusal.NOT_FOUND
