"""The ports by which a node finds out whether it alone has lost the log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogSight:
    """How one node sees the log.

    silent_seconds: for how long what it asked was not answered.
    steady_seconds: how long answers had come without a break when the last one came.
    """

    silent_seconds: float
    steady_seconds: float


class Pulse(Protocol):
    """Whether the log is there for this node."""

    def sight(self) -> LogSight:
        """Return how it is now; may be called from another thread."""
        ...


class Neighbours(Protocol):
    """The nodes of one database, which tell each other past the log how they see it."""

    def tell(self, look: Callable[[], LogSight]) -> None:
        """From now on tell the others, about once a second.

        look: how this node sees it; called from another thread.
        """
        ...

    def see_log(self) -> bool:
        """Return whether another node was answered well after this one was for the last time.

        Of the last second or so; False where the database could not be asked.
        """
        ...
