"""Stands where nodes share their breakers, for a node that is alone."""

from core.ports.circuits import CircuitBook, CircuitWord


class MemoryCircuits:
    """See `SharedCircuits`; there is nobody else, so every probe is this node's."""

    def attach(self, book: CircuitBook) -> None:
        """See `SharedCircuits`."""

    def tell(self, name: str, word: CircuitWord, token: str = "") -> None:
        """See `SharedCircuits`."""

    async def take_probe(self, name: str, token: str, seconds: float) -> float:
        """See `SharedCircuits`."""
        return 0.0
