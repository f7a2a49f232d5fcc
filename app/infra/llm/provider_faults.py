"""Says in our words what a model's server says in its own.

Nothing of the server's text goes into a message: it may quote the key or the prompt.
"""

import re
from typing import Final

from msgspec import MsgspecError, Struct
from msgspec.json import decode

from core.errors import AppError, DeadlineExceeded, ModelRefused, ModelUnavailable

_OVERLOADED = {429, 529}
_PASSING = {408, 409, 425, 500, 502, 503, 504}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_TOO_LONG = {"context_length_exceeded", "string_above_max_length"}

# No code tells it: these are the words of Ollama, vLLM, llama.cpp, OpenRouter, Groq and OpenAI.
_NO_TOOLS: Final = re.compile(
    rb"not support(?:ed)? (?:with )?(?:tools?|function)\b|that support tool use"
    rb"|unsupported param\w*: .{0,2}tools\b|tool calling\W{1,2}is not supported"
    rb"|tool choice requires|tools param requires",
    re.IGNORECASE,
)


class ReplyBrokenOff(ModelUnavailable):
    """The reply had begun: asked again, the model would make it, and count it, a second time."""


class ToolsRefused(ModelRefused):
    """The model or its server takes no tools; without them it would have answered."""


class _Error(Struct):
    code: str | int | None = None
    type: str | None = None


class _ErrorBody(Struct):
    error: _Error


def refused(status: int, body: bytes = b"", retry_after_seconds: float | None = None) -> AppError:
    """Return the error for an HTTP status that is not 200, with the body that came with it."""
    if takes_no_tools(body):
        return ToolsRefused("the model can't use tools")
    try:
        error = decode(body, type=_ErrorBody).error
    except MsgspecError:
        error = _Error()
    return _named(status, error, retry_after_seconds)


def error_in_stream(body: bytes) -> AppError:
    """Return the error for an error object that came in the middle of a stream."""
    try:
        error = decode(body, type=_Error)
    except MsgspecError:
        error = _Error()
    status = error.code if isinstance(error.code, int) else 500
    return _named(status, error, None)


def takes_no_tools(body: bytes) -> bool:
    """Say whether a server's refusal means that it can't be offered tools."""
    return _NO_TOOLS.search(body) is not None


def begun(error: ModelUnavailable) -> ModelUnavailable:
    """Return the same error for a reply that had begun."""
    return ReplyBrokenOff(error.message, retry_after_seconds=error.retry_after_seconds)


def unreachable() -> AppError:
    """Return the error for a server that cannot be connected to."""
    return ModelUnavailable("the model's server can't be reached")


def untrusted() -> AppError:
    """Return the error for a server whose certificate is not accepted."""
    return ModelRefused("the certificate of the model's server is not trusted")


def too_long() -> AppError:
    """Return the error for a prompt that does not fit the model."""
    return ModelRefused("the conversation is too long for the model")


def broken_off() -> AppError:
    """Return the error for a reply that stopped before its end."""
    return ModelUnavailable("the model's server broke off in the middle of its answer")


def not_the_protocol() -> AppError:
    """Return the error for an answer that can't be understood."""
    return ModelUnavailable("the model's server answered in a way that can't be understood")


def no_first_token() -> AppError:
    """Return the error for a model that did not begin in time."""
    return DeadlineExceeded("the model did not begin to answer in time")


def gone_quiet() -> AppError:
    """Return the error for a model that paused for too long in the middle."""
    return DeadlineExceeded("the model stopped in the middle of its answer")


def too_slow() -> AppError:
    """Return the error for an answer that was not finished in time."""
    return DeadlineExceeded("the model did not finish its answer in time")


def _named(status: int, error: _Error, retry_after_seconds: float | None) -> AppError:
    names = {str(error.code), str(error.type)}
    if names & _NO_MONEY:
        return ModelRefused("the account with the model's provider has no credit left")
    if names & _TOO_LONG:
        return too_long()
    if status in _OVERLOADED:
        return ModelUnavailable(
            "the model's server is overloaded", retry_after_seconds=retry_after_seconds
        )
    if status in _PASSING or status > 500:
        return ModelUnavailable(
            f"the model's server failed (status {status})", retry_after_seconds=retry_after_seconds
        )
    if status in (401, 403):
        return ModelRefused(f"the model's server does not accept the key (status {status})")
    if status == 404:
        return ModelRefused("the model's server knows no such model or address (status 404)")
    return ModelRefused(f"the model's server rejected the request (status {status})")
