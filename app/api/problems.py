"""Answers every error as problem details (RFC 9457), with the code of `core.errors`."""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from core.errors import (
    AppError,
    Busy,
    Conflict,
    DeadlineExceeded,
    Internal,
    InvalidRequest,
    ModelRefused,
    ModelUnavailable,
    NotFound,
    StorageUnavailable,
    TooLarge,
    UnreadableDocument,
)

MEDIA_TYPE: Final = "application/problem+json"

STATUSES: Final[dict[str, int]] = {
    InvalidRequest.code: 422,
    NotFound.code: 404,
    Conflict.code: 409,
    Busy.code: 503,
    TooLarge.code: 413,
    UnreadableDocument.code: 422,
    ModelUnavailable.code: 503,
    ModelRefused.code: 502,
    DeadlineExceeded.code: 504,
    StorageUnavailable.code: 503,
    Internal.code: 500,
}

# RFC 9110's names, which Python has only from 3.13 on: every node says the same.
RENAMED: Final[dict[int, str]] = {413: "Content Too Large", 422: "Unprocessable Content"}

log = structlog.get_logger(__name__)


class FieldFault(BaseModel):
    """What is wrong with one field. location: as in `body.limit`."""

    location: str
    message: str


class Problem(BaseModel):
    """An error. `code` is for programs, `detail` for people.

    type: always `about:blank`: `title` says no more than `status` does.
    errors: field by field, where the request does not fit its schema.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    retryable: bool = False
    retry_after_seconds: float | None = None
    errors: list[FieldFault] | None = None


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a route's errors."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {
            "model": Problem,
            "description": _phrase(status),
            "content": content,
        }
        for status in statuses
    }


def install_problem_handlers(app: FastAPI) -> None:
    """Make the app answer all errors this way, also those of the framework."""
    app.add_exception_handler(AppError, _answer_app_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_bug)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that carries a problem."""
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, problem.status, headers, media_type=MEDIA_TYPE)


async def _answer_app_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    wait = error.retry_after_seconds
    body = _problem(STATUSES[error.code], error.code, error.message).model_copy(
        update={"retryable": error.retryable, "retry_after_seconds": wait}
    )
    return problem_response(body, {"Retry-After": str(ceil(wait))} if wait else None)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: it may be long, or a secret.
    faults = [
        FieldFault(location=".".join(map(str, fault["loc"])), message=fault["msg"])
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault.location}: {fault.message}" for fault in faults)
    body = _problem(422, InvalidRequest.code, detail or "The request is not valid.")
    return problem_response(body.model_copy(update={"errors": faults}))


async def _answer_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: NotFound.code, 413: TooLarge.code}
    code = codes.get(error.status_code, InvalidRequest.code)
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = Internal.code
    return problem_response(_problem(error.status_code, code, error.detail), error.headers)


async def _answer_bug(request: Request, error: Exception) -> Response:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return problem_response(_problem(500, Internal.code, "Something went wrong on our side."))


def _problem(status: int, code: str, detail: str) -> Problem:
    return Problem(title=_phrase(status), status=status, detail=detail, code=code)


def _phrase(status: int) -> str:
    return RENAMED.get(status) or HTTPStatus(status).phrase
