"""Knows how many runs are in each state, without asking the database too often."""

import asyncio
from collections.abc import Mapping

from core.ports.run_census import LiveStatus, RunCensus

KEEP_SECONDS = 5.0


class RunStates:
    """The census of all nodes' runs, some seconds old at most; every node says the same."""

    def __init__(self, census: RunCensus, keep_seconds: float = KEEP_SECONDS) -> None:
        self._census = census
        self._keep_seconds = keep_seconds
        self._counts: Mapping[LiveStatus, int] = {}
        self._is_due_at = 0.0

    async def look(self) -> None:
        """Ask for the census where the last is too old. Raises `StorageUnavailable`."""
        now = asyncio.get_running_loop().time()
        if now < self._is_due_at:
            return
        # What is not known any more is not told.
        self._counts = {}
        self._counts = await self._census.counts()
        self._is_due_at = now + self._keep_seconds

    def counts(self) -> Mapping[str, float]:
        """Return the numbers by state; nothing where they are not known."""
        return {state: float(number) for state, number in self._counts.items()}
