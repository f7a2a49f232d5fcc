"""The port that knows which nodes there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NodeLoad:
    """What a node is doing now.

    runs: at work on it.
    slots: how many it may have at work.
    """

    connections: int
    runs: int
    slots: int
    is_draining: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One server process that is alive.

    name: unique among the nodes; a process that starts again has another.
    seen_seconds: how long ago it gave its last sign of life.
    """

    name: str
    host: str
    pid: int
    started_at: datetime
    seen_seconds: float
    load: NodeLoad


class Fleet(Protocol):
    """Keeps the list of nodes."""

    async def keep(self, load: Callable[[], NodeLoad]) -> None:
        """Tell the others about once a second that this node lives, until cancelled.

        A node that was not heard of for some seconds is no longer in the list. A store that is
        down is tried again; nobody is disturbed.
        """
        ...

    async def nodes(self) -> Sequence[Node]:
        """Return the nodes that live, by name. Raises `StorageUnavailable`."""
        ...
