"""The port to circuit breakers: what is known to be away is not called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

T = TypeVar("T")


class CircuitState(StrEnum):
    """CLOSED: calls go through. OPEN: none does. HALF_OPEN: one probe decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitOpen(Exception):
    """The call was not made. retry_after_seconds: when the next probe is due."""

    def __init__(self, name: str, retry_after_seconds: float) -> None:
        super().__init__(name)
        self.name = name
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class CircuitReport:
    """Where one breaker stands. failures: in a row. opened_seconds: since it opened; else 0."""

    name: str
    state: CircuitState
    failures: int
    opened_seconds: float
    retry_after_seconds: float


class Breakers(Protocol):
    """One breaker for each outside thing: `tool:NAME`, `mcp:SERVER`, `model:PROVIDER/NAME`, ...

    They are the fleet's: what opens one here opens it on every node. None of the calls waits for
    anything but the work itself.
    """

    async def call(self, name: str, work: Callable[[], Awaitable[T]], *, seconds: float) -> T:
        """Return what `work` gives within `seconds`, or raise what it raises.

        `TimeoutError` and every exception count as a failure, except those that `Uncounted`
        wraps and cancellation, which count as nothing. Raises `CircuitOpen` within milliseconds
        where the breaker is open, or half-open with its one probe under way somewhere. A probe
        that ends with `Uncounted` closes it, one that is cancelled leaves it to the next call.
        """
        ...

    def reports(self) -> Sequence[CircuitReport]:
        """Return every breaker this node has heard of, by name."""
        ...

    async def reset(self, name: str) -> bool:
        """Close a breaker on every node; False where nobody has heard of it."""
        ...


class StreamBreakers(Breakers, Protocol):
    """Breakers for what answers little by little."""

    def answered(self, name: str) -> None:
        """Say that the outside began to answer: a probe under way here is over, and went well.

        So the others need not wait for the answer's end. What fails then counts as ever.
        """
        ...


class Uncounted(Exception):
    """Wraps what a working outside answered with: it says nothing against it. Raised as its cause.

    `Breakers.call` unwraps it: the caller gets the error inside.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
