"""The port by which nodes wake each other up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.ids import RunId


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """A run shall stop; whoever has it does so."""

    run_id: RunId


@dataclass(frozen=True, slots=True)
class RunWaits:
    """There is a run that nobody has; whoever has a free slot may take it."""


Signal = RunCancelled | RunWaits


class Signals(Protocol):
    """Wakes other nodes. A signal may be lost: each says only what the database says too."""

    def send(self, signal: Signal) -> None:
        """Tell all other nodes, soon; never blocks and never fails."""
        ...

    def listen(self, hear: Callable[[Signal], None]) -> None:
        """Call `hear`, which must not block, for what other nodes send from now on."""
        ...
