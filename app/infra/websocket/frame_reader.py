"""Turns what a client sent into a frame, or into what is wrong with it."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.decisions import Close
from app.infra.websocket.frames import ClientFrame, Error
from core.errors import AppError, InvalidRequest

CLIENT_FRAMES: Final[TypeAdapter[ClientFrame]] = TypeAdapter(ClientFrame)

_ID_MAX = 64
_SAID_MAX = 100


def read_frame(data: str | bytes, limit_bytes: int) -> ClientFrame | Error | Close:
    """Return the frame, the error to answer with, or why the socket can't go on.

    Never raises, whatever the data is.
    """
    if isinstance(data, bytes):
        return error_frame(None, InvalidRequest("A frame must be text, not binary."))
    try:
        raw = data.encode()
    except UnicodeEncodeError:
        return Close(CloseCode.INVALID_TEXT, "a frame is not UTF-8")
    if len(raw) > limit_bytes:
        return Close(CloseCode.FRAME_TOO_BIG, f"a frame may have {limit_bytes} bytes")
    return _read_json(raw)


def _read_json(raw: bytes) -> ClientFrame | Error:
    try:
        # Stops at 200 levels and at NaN, which is not JSON.
        value: object = from_json(raw, allow_inf_nan=False)
    except ValueError:
        return error_frame(None, InvalidRequest("A frame must be one JSON object, not too deep."))
    if not isinstance(value, Mapping):
        return error_frame(None, InvalidRequest("A frame must be one JSON object."))
    try:
        return CLIENT_FRAMES.validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        return error_frame(_readable_id(value), InvalidRequest(_explain(faults[0])))


def error_frame(command_id: str | None, error: AppError) -> Error:
    """Return an error as the answer to a command."""
    return Error(
        id=command_id,
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds,
    )


def _readable_id(value: Mapping[str, object]) -> str | None:
    command_id = value.get("id")
    if isinstance(command_id, str) and 1 <= len(command_id) <= _ID_MAX:
        return command_id
    return None


def _explain(fault: ErrorDetails) -> str:
    if fault["type"].startswith("union_tag") and not fault["loc"]:
        known = "hello, subscribe, unsubscribe, run, cancel, ping"
        return f"The field type must be one of {known}."
    # The first part is the frame's type; a name in the path may be the client's, of any length.
    path = ".".join(str(part) for part in fault["loc"][1:])[:_SAID_MAX]
    if fault["type"] == "extra_forbidden":
        return f"The field {path} is not known."
    return f"The field {path} is wrong: {fault['msg'][: 2 * _SAID_MAX]}."
