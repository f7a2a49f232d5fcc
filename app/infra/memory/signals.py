"""Stands where nodes wake each other up, for a node that is alone."""

from collections.abc import Callable

from core.ports.signals import Signal


class MemorySignals:
    """See `Signals`; there is nobody else, so nothing is ever sent or heard."""

    def send(self, signal: Signal) -> None:
        """See `Signals`."""

    def listen(self, hear: Callable[[Signal], None]) -> None:
        """See `Signals`."""
