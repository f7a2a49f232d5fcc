"""The port that counts and lists runs for those who operate the nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.ids import ConversationId, RunId
from core.principal import Principal

LiveStatus = Literal["queued", "running", "telling"]


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that is not over.

    status: telling, where it has ended and its last event is not known to be in the log.
    owner: the node that has it; empty where nobody does.
    lease_seconds_left: below 0 where the owner has lost it; None where there are no leases.
    waited_seconds: from admission until it was taken last, or until now where nobody took it.
    """

    id: RunId
    conversation_id: ConversationId
    status: LiveStatus
    owner: str
    attempt: int
    fence: int
    lease_seconds_left: float | None
    waited_seconds: float


class RunCensus(Protocol):
    """Knows the runs of all nodes."""

    async def counts(self) -> Mapping[LiveStatus, int]:
        """Return how many runs there are in each status, of all tenants.

        Raises `StorageUnavailable`.
        """
        ...

    async def live(self, principal: Principal, limit: int) -> Sequence[LiveRun]:
        """Return the runs of the caller's tenant, the oldest first, at most `limit`.

        Raises `StorageUnavailable`.
        """
        ...
