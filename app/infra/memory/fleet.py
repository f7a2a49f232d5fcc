"""Keeps the list of nodes where there is one."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from core.ports.fleet import Node, NodeLoad


class MemoryFleet:
    """See `Fleet`; knows this process alone, and nobody before it says that it lives."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started_at = datetime.now(UTC)
        self._load: Callable[[], NodeLoad] | None = None

    async def keep(self, load: Callable[[], NodeLoad]) -> None:
        """See `Fleet`."""
        self._load = load
        try:
            await asyncio.Event().wait()
        finally:
            self._load = None

    async def nodes(self) -> Sequence[Node]:
        """See `Fleet`."""
        if self._load is None:
            return []
        return [
            Node(
                name=self._name,
                host=socket.gethostname(),
                pid=os.getpid(),
                started_at=self._started_at,
                seen_seconds=0.0,
                load=self._load(),
            )
        ]
