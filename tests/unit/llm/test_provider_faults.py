"""What a server's status and error object mean for a person."""

import pytest

from app.infra.llm.provider_faults import refused
from core.errors import AppError, ModelRefused, ModelUnavailable


def body(code: str) -> bytes:
    return b'{"error": {"message": "sk-secret", "type": "x", "code": "%b"}}' % code.encode()


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (400, "", ModelRefused, "rejected the request"),
        (400, "context_length_exceeded", ModelRefused, "too long"),
        (401, "invalid_api_key", ModelRefused, "key"),
        (404, "model_not_found", ModelRefused, "no such model"),
        (408, "", ModelUnavailable, "failed"),
        (429, "rate_limit_exceeded", ModelUnavailable, "overloaded"),
        (429, "insufficient_quota", ModelRefused, "credit"),
        (500, "", ModelUnavailable, "failed"),
        (529, "", ModelUnavailable, "overloaded"),
        (302, "", ModelRefused, "rejected"),
    ],
)
def test_a_status_is_said_in_our_words(
    status: int, code: str, kind: type[AppError], words: str
) -> None:
    error = refused(status, body(code))
    assert type(error) is kind
    assert words in error.message
    assert "sk-secret" not in error.message


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"error": "plain"}', b"[]", b"\xff"])
def test_an_error_body_of_any_shape_is_survived(text: bytes) -> None:
    assert isinstance(refused(503, text), ModelUnavailable)
