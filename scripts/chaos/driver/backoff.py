"""Says how long a client waits before it comes back: pure rules of the protocol."""

from dataclasses import dataclass

FLOOR_SECONDS = 0.2
CEILING_SECONDS = 5.0
_SLOW_ATTEMPTS = 3

UNCLEAN = 1006
"""What a connection that broke is said to have been closed with."""


@dataclass(frozen=True, slots=True)
class Return:
    """When to come back: never where seconds is None."""

    seconds: float | None


def jitter(attempt: int, chance: float) -> float:
    """Return a pause: full jitter from 0.2 s to a ceiling that doubles from 0.4 to 5 s.

    attempt: how many failed before, from 0. chance: 0..1.
    """
    ceiling: float = min(CEILING_SECONDS, 2 * FLOOR_SECONDS * 2**attempt)
    return FLOOR_SECONDS + chance * (ceiling - FLOOR_SECONDS)


def after_close(code: int, attempt: int, chance: float) -> Return:
    """Return what a close code asks of a client that failed `attempt` times before."""
    if 4000 <= code < 4100:
        return Return(None)
    if 4200 <= code < 4300 and attempt == 0:
        return Return(0.0)
    if 4100 <= code < 4200:
        return Return(jitter(attempt + _SLOW_ATTEMPTS, chance))
    return Return(jitter(attempt, chance))
