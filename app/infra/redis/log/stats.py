"""What the log counts, for the metrics."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _ignore(seconds: float) -> None:
    return


@dataclass(slots=True)
class LogStats:
    """Counts since the process began, but for `pending_bytes`, which is of now.

    appends: entries that Redis has acknowledged. append_seconds: how long their round trips
        took, counted once for each round trip of `flushes`; `observe` is called with each.
    fenced: appends that were refused because another attempt speaks. gaps: how often Redis had
        lost events that were sent again. resyncs: how often a reader's copy was replaced or
        filled from the stream. reconnects: how often a connection was lost.
    """

    pending: Callable[[], int]
    observe: Callable[[float], None] = field(default=_ignore)
    flushes: int = 0
    appends: int = 0
    append_seconds: float = 0.0
    fenced: int = 0
    gaps: int = 0
    resyncs: int = 0
    reconnects: int = 0

    @property
    def pending_bytes(self) -> int:
        """About how much waits to be sent to Redis."""
        return self.pending()
