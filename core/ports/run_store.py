"""The port to the runs on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.ids import ConversationId, RunId
from core.principal import Principal
from core.runs import Answer, Run, RunRequest, RunStatus


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much may wait.

    queued: runs that wait for a slot or for their conversation, over all conversations.
    queued_per_conversation: of these, in one conversation.
    """

    queued: int
    queued_per_conversation: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of a request.

    is_duplicate: the run was there already; nothing was changed.
    interrupts: the run of the same conversation that has to stop first, where the caller
        asked for that.
    """

    run: Run
    is_duplicate: bool
    interrupts: RunId | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, and what it leaves in the transcript.

    answer: what was said, whole or (cancelled, failed) as far as it came; None where nothing was.
    """

    status: RunStatus
    answer: Answer | None = None
    error_code: str | None = None
    error_message: str | None = None


class RunStore(Protocol):
    """Keeps runs. A run's id is unique over all tenants and is its idempotency key."""

    async def admit(
        self, request: RunRequest, limits: AdmissionLimits, *, may_start: bool
    ) -> Admitted:
        """Put the message on disk, once, and return its run; durable when it returns.

        The run is `running` (attempt 1) where `may_start` and its conversation is free, else
        `queued`. A conversation that is not there comes into being. Raises `Busy` (over a limit,
        or the conversation is busy and the caller asked for `reject`), `NotFound` (the
        conversation is somebody else's), `Conflict` (the id names another's run, or another
        conversation's).
        """
        ...

    async def claim(self) -> Run | None:
        """Take the oldest queued run whose conversation is free: `running`, one more attempt."""
        ...

    async def finish(self, run: Run, ending: Ending) -> int | None:
        """Write the last state and the answer in one transaction; return the message count.

        None where the run was ended before, or its conversation is gone: nothing was changed.
        """
        ...

    async def request_cancel(self, principal: Principal, run_id: RunId) -> Run:
        """Note that the run shall stop and return it. Raises `NotFound`."""
        ...

    async def reopen(self) -> int:
        """Queue the runs that a stopped process left running; return how many wait in all."""
        ...


class RunRecords(Protocol):
    """Reads runs."""

    async def get(self, principal: Principal, run_id: RunId) -> Run:
        """Return the run. Raises `NotFound`."""
        ...

    async def of_conversation(
        self, principal: Principal, conversation_id: ConversationId
    ) -> Sequence[Run]:
        """Return a conversation's runs in the order of admission."""
        ...
