"""What a URL in the settings means."""

import pytest

from app.infra.llm.endpoint import Endpoint, needs_proxy, read_endpoint
from core.errors import SettingsError


def test_a_url_is_taken_apart() -> None:
    assert read_endpoint("https://api.example.com/v1/", "X") == Endpoint(
        "api.example.com", 443, True, "api.example.com", "/v1"
    )
    assert read_endpoint("http://[::1]:8080", "X") == Endpoint("::1", 8080, False, "[::1]:8080", "")


def test_credentials_in_a_url_do_not_go_into_the_host_header() -> None:
    endpoint = read_endpoint("http://user:secret@host:1/v1", "X")
    assert endpoint.authority == "host:1"


def test_a_request_has_its_path_under_the_base() -> None:
    endpoint = read_endpoint("http://host:1/v1", "X")
    assert endpoint.request("GET", "/models", {"accept": "*/*"}) == (
        b"GET /v1/models HTTP/1.1\r\nhost: host:1\r\naccept: */*\r\n"
    )


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com", "ftp://host", "http://", "http://h:port", "http://h/a b", "http://hö"],
)
def test_what_is_no_url_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL"):
        read_endpoint(url, "OPENAI_BASE_URL")


def test_a_proxy_is_used_unless_the_host_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert not needs_proxy(read_endpoint("https://host", "X"))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert needs_proxy(read_endpoint("https://host", "X"))
    assert not needs_proxy(read_endpoint("http://host", "X"))
    monkeypatch.setenv("NO_PROXY", "host")
    assert not needs_proxy(read_endpoint("https://host", "X"))
