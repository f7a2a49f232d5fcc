"""By which names a machine calls itself."""

import pytest

from core.loopback import is_loopback_host


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1:8000", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:8000", False),
        ("localhost.evil.example", False),
        ("127.0.0.2", True),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_only_loopback_names_are_answered(host: str, is_loopback: bool) -> None:
    assert is_loopback_host(host) is is_loopback
