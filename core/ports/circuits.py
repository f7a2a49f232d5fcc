"""The ports by which nodes share their breakers, past whoever decides over a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CircuitFacts:
    """What is known of one breaker.

    failures: in a row, over all nodes.
    open_seconds: how long ago it opened, probes or not; None where it is closed.
    version: rises with every change that the fleet hears of; 0: it has heard of none.
    """

    name: str
    failures: int = 0
    open_seconds: float | None = None
    version: int = 0


class CircuitWord(StrEnum):
    """What happened to a breaker, or to its probe, on one node."""

    FAILED = "failed"
    RECOVERED = "recovered"
    RESET = "reset"
    PROBE_WELL = "probe_well"
    PROBE_FAILED = "probe_failed"
    PROBE_LEFT = "probe_left"


class CircuitBook(Protocol):
    """What one node knows of its breakers. Its calls are synchronous and never block."""

    def facts(self) -> Sequence[CircuitFacts]:
        """Return all that it knows."""
        ...

    def hear(self, facts: CircuitFacts) -> None:
        """Take over what the fleet knows, unless what is known here is as new."""
        ...


class SharedCircuits(Protocol):
    """Makes the breakers of all nodes one. Where that can't be had, each node goes on alone."""

    def attach(self, book: CircuitBook) -> None:
        """Keep this node's book from now on."""
        ...

    def tell(self, name: str, word: CircuitWord, token: str = "") -> None:
        """Tell the fleet, soon; never blocks and never fails. token: the probe's, if it is one's.

        What can't be told is dropped: once it can, the books are compared.
        """
        ...

    async def take_probe(self, name: str, token: str, seconds: float) -> float:
        """Ask for the one probe of a breaker whose time has come, for so long at most.

        Return 0 where it is the caller's, who tells its end with this token; else after how many
        seconds to ask again. What the fleet knows by then is in the book. Never fails, and takes
        less than 50 ms. Whoever is cancelled gives it back by `PROBE_LEFT`.
        """
        ...
