"""The port to the record of tool calls: what was begun, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.ids import ConversationId, RunId
from core.tools import Effect


class CallFenced(Exception):
    """Another attempt has the run: this one may begin nothing and record nothing."""


class RecordStatus(StrEnum):
    """Where a recorded call stands."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CallKey:
    """Names one call, and the attempt that wants to make it.

    run_id, fence: the attempt; what a replaced one writes is refused.
    root_id: the run in which the call was decided on; the record is kept under it.
    call_id: unique over all runs, and the same in every attempt.
    arguments_hash: of the arguments that are sent, see `core.tools.arguments_hash`.
    """

    run_id: RunId
    fence: int
    root_id: RunId
    conversation_id: ConversationId
    call_id: str
    tool: str
    effect: Effect
    arguments_hash: str


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is on record of a call.

    is_new: this call has just put it there; nobody has begun it before.
    result: what the call gave back, encoded by whoever recorded it; empty while it is `STARTED`.
    """

    status: RecordStatus
    is_new: bool
    arguments_hash: str
    result: str = ""


class ToolLedger(Protocol):
    """Keeps every call before and after, in the database. Each write is one fenced transaction.

    Raises `CallFenced`, and `StorageUnavailable` where the database can't be used.
    """

    async def begin(self, key: CallKey) -> CallRecord:
        """Record that the call begins, and return what is on record; durable when it returns.

        Where there was a record it is returned as it stands, not changed.
        """
        ...

    async def begin_again(self, key: CallKey) -> None:
        """Record that a call is made once more, because it may be repeated, or a person said so."""
        ...

    async def end(self, key: CallKey, status: RecordStatus, result: str) -> None:
        """Record what came of it; durable when it returns."""
        ...
