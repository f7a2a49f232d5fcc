"""The port that knows who is connected, on this node and on the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.ids import TenantId
from core.principal import Principal


@dataclass(frozen=True, slots=True)
class Connection:
    """One open socket whose caller is known.

    node: the server process that has it.
    since: when the caller was welcomed, in UTC.
    subscriptions: how many conversations it reads now.
    """

    id: str
    principal: Principal
    node: str
    since: datetime
    subscriptions: int = 0


class Presence(Protocol):
    """Keeps the list of connections.

    The first three are synchronous and never block, so that a store that is down never keeps
    anybody out: an adapter that shares the list tells the other nodes in its own time.
    """

    def join(self, connection: Connection, expel: Callable[[], None]) -> None:
        """Add a connection. `expel` closes its socket; it must not block."""
        ...

    def update(self, connection_id: str, subscriptions: int) -> None:
        """Say how many conversations a connection reads; ignored where it is not known."""
        ...

    def leave(self, connection_id: str) -> None:
        """Remove a connection; nothing happens where it is not known."""
        ...

    async def connections(self, tenant_id: TenantId) -> Sequence[Connection]:
        """Return a tenant's connections, the oldest first. Raises `StorageUnavailable`."""
        ...

    async def expel(self, principal: Principal) -> None:
        """Close all sockets of a principal, on every node, in a way that it does not come back.

        Raises `StorageUnavailable` where only this node's could be closed.
        """
        ...
