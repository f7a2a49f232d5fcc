"""The one tree of errors that may cross a port or reach a client.

AppError
├── InvalidRequest        invalid_request     the caller must change what it sent
├── NotFound              not_found           it does not exist, or is not the caller's
├── Conflict              conflict            it is there already, or is another's
├── Busy                  busy                try again after `retry_after_seconds`
├── QuotaExceeded         quota_exceeded      the caller has used up what it may today
├── TooLarge              too_large           over a stated limit
├── UnreadableDocument    unreadable_document the file cannot be understood; says why
├── ModelUnavailable      model_unavailable   the model could not be reached, or gave up
├── ModelRefused          model_refused       the model's server rejected the request
├── DeadlineExceeded      deadline_exceeded   the outside took longer than it may
├── StorageUnavailable    storage_unavailable a store could not be reached
└── Internal              internal            a bug of ours; the log has the traceback

`code` is part of the wire contract. A message is for a person: it never carries a secret, a
path of the server, or a vendor's own text.
"""

from typing import ClassVar


class AppError(Exception):
    """Anything that a client may be told about."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(AppError):
    """The caller must change what it sent."""

    code = "invalid_request"


class NotFound(AppError):
    """It does not exist, or is not the caller's; the two look the same from outside."""

    code = "not_found"


class Conflict(AppError):
    """It is there already, or the id is taken by something else."""

    code = "conflict"


class Busy(AppError):
    """There is no room now; `retry_after_seconds` says when to come back."""

    code = "busy"
    retryable = True


class QuotaExceeded(AppError):
    """The caller, or its tenant, has used up what it may use today."""

    code = "quota_exceeded"


class TooLarge(AppError):
    """Over a stated limit."""

    code = "too_large"


class UnreadableDocument(AppError):
    """The file cannot be understood; the message says why in words a person understands."""

    code = "unreadable_document"


class ModelUnavailable(AppError):
    """The model could not be reached, or stopped answering."""

    code = "model_unavailable"
    retryable = True


class ModelRefused(AppError):
    """The model's server rejected the request; the same request will fail again."""

    code = "model_refused"


class DeadlineExceeded(AppError):
    """The outside took longer than its caller allowed."""

    code = "deadline_exceeded"
    retryable = True


class StorageUnavailable(AppError):
    """A store could not be reached, or refused a write."""

    code = "storage_unavailable"
    retryable = True


class Internal(AppError):
    """A bug of ours; the log has the traceback."""

    code = "internal"


class SettingsError(Exception):
    """A setting is out of range or contradicts another; the message names it and what it allows."""
