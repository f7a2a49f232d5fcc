"""The port to the runs on disk."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.budgets import NOTHING, Spent
from core.conversations import LogMark
from core.ids import ConversationId, RunId
from core.principal import Principal
from core.runs import Answer, Run, RunRequest, RunStatus
from core.tools import Ask


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

    answer: what was said, whole or (cancelled, failed, interrupted) as far as it came; None where
        nothing was.
    late_results: what calls of earlier messages gave back in this run, by call id: an approved
        call is a part of the message that asked.
    asks: what the person is asked, where the run was interrupted.
    spent: what the run has used, for the person's and the tenant's budgets.
    """

    status: RunStatus
    answer: Answer | None = None
    error_code: str | None = None
    error_message: str | None = None
    late_results: Mapping[str, str] = field(default_factory=dict)
    asks: tuple[Ask, ...] = ()
    spent: Spent = NOTHING


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run leaves behind.

    message_count: how long the transcript is now.
    has_waiting: whether another run of the conversation waits.
    """

    message_count: int
    has_waiting: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A run that a node still has, as the database sees it."""

    fence: int
    cancel_requested: bool


class RunStore(Protocol):
    """Keeps runs, for one node. A run's id is unique over all tenants and its idempotency key.

    A node has a run by a lease; a run whose lease ran out is anybody's. All times are the
    database's. Every call raises `StorageUnavailable` where the database can't be used.
    """

    async def admit(
        self, request: RunRequest, limits: AdmissionLimits, *, may_start: bool
    ) -> Admitted:
        """Put the message on disk, once, and return its run; durable when it returns.

        The run is `running` (attempt 1, this node's) where `may_start` and its conversation is
        free, else `queued`. A conversation that is not there comes into being. Raises `Busy`
        (over a limit, or the conversation is busy and the caller asked for `reject`), `NotFound`
        (the conversation is somebody else's), `Conflict` (the id names another's run, or another
        conversation's).

        A request with answers is queued where its conversation is busy. Its answers are recorded
        in the same transaction, each once: raises `Conflict` where a question has its answer, has
        expired, or the conversation has gone on without it, `NotFound` where there is none such
        in the conversation, `InvalidRequest` where the answer does not fit the question.
        """
        ...

    async def claim(self) -> Run | None:
        """Take one run that nobody has, the oldest first; None where there is none.

        It is a run that lost its node (one more attempt), one that has ended and whose end was
        not told (its status is final), or a queued one whose conversation is free.
        """
        ...

    async def restart_log(self, run: Run, mark: LogMark) -> bool:
        """Note that the conversation's log began a new epoch; False where the run is lost."""
        ...

    async def finish(self, run: Run, ending: Ending, *, is_told: bool) -> Finished | None:
        """Write the last state and the answer in one transaction.

        is_told: whether the end is as good as told, because log and database go down together.
            Else the conversation stays the run's until `tell`. None where the run is another
            attempt's, has ended, or its conversation is gone: nothing was changed.
        """
        ...

    async def tell(self, run: Run, mark: LogMark) -> bool:
        """Note that the run's last event is in the log, and where the log stands.

        The conversation is free now. Returns whether another of its runs waits.
        """
        ...

    async def release(self, run: Run) -> None:
        """Give a run away in good order: the next who looks takes it at once."""
        ...

    async def request_cancel(self, principal: Principal, run_id: RunId) -> Run:
        """Note that the run shall stop and return it. Raises `NotFound`."""
        ...


class Leases(Protocol):
    """Keeps the leases of a node's runs alive, whatever else the node is busy with."""

    async def keep(
        self,
        at_work: Callable[[], Collection[RunId]],
        hear: Callable[[float, Mapping[RunId, Held]], None],
    ) -> None:
        """Renew the leases of the runs at work until cancelled.

        at_work: says which these are; called from another thread.
        hear: called in the loop after each renewal with the loop's time at which the database
            was asked, and what it said this node still has. A run that was begun before and is
            not there, or has another fence, is lost. Where the database could not be asked for
            so long that leases may have run out, it is told that nothing is left.
        """
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
