"""Translates what LangChain's classes and the packages under them raise."""

from langchain_core.exceptions import ContextOverflowError

from app.infra.llm.provider_faults import (
    broken_off,
    error_in_stream,
    not_the_protocol,
    refused,
    too_long,
)
from core.errors import AppError


def translated(error: Exception) -> AppError:
    """Return our error for anything that a provider's package raised.

    The packages share no base class, but nearly all of them give an HTTP status.
    """
    if isinstance(error, AppError):
        return error
    if isinstance(error, ContextOverflowError):
        return too_long()
    status = _status(error)
    if status is not None:
        return refused(status, str(error).encode(), _retry_after(error))
    if isinstance(error, ValueError):  # JSON that is none, a stream without a single chunk
        return not_the_protocol()
    if hasattr(error, "body"):  # an error object in the middle of a stream
        return error_in_stream(b"{}")
    return broken_off()


def _status(error: Exception) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
