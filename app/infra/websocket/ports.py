"""Says what the door needs from the floors below, so that it is tested without them."""

from collections.abc import Callable
from typing import Protocol

from app.infra.websocket.frames import Hello
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor, EventBatch
from core.principal import LOCAL, Principal
from core.runs import RunRequest


class Reading(Protocol):
    """A position in a conversation's log; see `app.turns.reading`."""

    @property
    def epoch(self) -> str:
        """Which life of the log it reads."""
        ...

    @property
    def sequence(self) -> int:
        """The log's head when the reading began."""
        ...

    @property
    def recovered(self) -> bool:
        """Whether exactly what follows the cursor comes, and no snapshot first."""
        ...

    def take(self, limit_bytes: int) -> EventBatch | None:
        """Return the next batch, None where there is nothing more yet.

        Raises `LookupError` where the log has forgotten what comes next: call `renew`.
        """
        ...

    async def renew(self) -> None:
        """Go on from what the log still has, with a snapshot first. Raises `AppError`."""
        ...

    def lag_bytes(self) -> int:
        """Return how much was appended and not yet taken."""
        ...

    def close(self) -> None:
        """Stop being woken; may be called twice."""
        ...


class Readings(Protocol):
    """Opens readings."""

    async def open(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        after: Cursor | None,
        wake: Callable[[], None],
    ) -> Reading:
        """Return a reading that calls `wake` when there may be something to take.

        Raises `NotFound` where the conversation is not there, or not the principal's.
        """
        ...


class Admission(Protocol):
    """What became of a request to run."""

    @property
    def run_id(self) -> RunId:
        """Of the run, whether it is new or was known."""
        ...

    @property
    def conversation_id(self) -> ConversationId:
        """Where the run speaks."""
        ...

    @property
    def duplicate(self) -> bool:
        """Whether the run was known before."""
        ...


class Turns(Protocol):
    """Takes runs and stops them."""

    async def submit(self, request: RunRequest) -> Admission:
        """Return once the message is on disk. Raises `AppError`."""
        ...

    async def cancel(self, principal: Principal, run_id: RunId) -> None:
        """Stop a run, or do nothing where it has ended. Raises `AppError`."""
        ...


class Identify(Protocol):
    """Finds out who is calling."""

    async def __call__(self, hello: Hello) -> Principal:
        """Return the caller. Raises `AppError` where its ticket or token is not good."""
        ...


async def identify_local(hello: Hello) -> Principal:
    """Take everybody for the one caller of open development mode."""
    return LOCAL
