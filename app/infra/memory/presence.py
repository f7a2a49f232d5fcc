"""Keeps who is connected in this process alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.ids import TenantId
from core.ports.presence import Connection
from core.principal import Principal


class MemoryPresence:
    """See `Presence`; knows one node's connections, and forgets them with the process."""

    def __init__(self) -> None:
        self._present: dict[str, tuple[Connection, Callable[[], None]]] = {}

    def join(self, connection: Connection, expel: Callable[[], None]) -> None:
        """See `Presence`."""
        self._present[connection.id] = (connection, expel)

    def update(self, connection_id: str, subscriptions: int) -> None:
        """See `Presence`."""
        if entry := self._present.get(connection_id):
            connection, expel = entry
            changed = replace(connection, subscriptions=subscriptions)
            self._present[connection_id] = (changed, expel)

    def leave(self, connection_id: str) -> None:
        """See `Presence`."""
        self._present.pop(connection_id, None)

    async def connections(self, tenant_id: TenantId) -> Sequence[Connection]:
        """See `Presence`; a dict keeps the order of joining."""
        return [
            connection
            for connection, _ in self._present.values()
            if connection.principal.tenant_id == tenant_id
        ]

    async def expel(self, principal: Principal) -> None:
        """See `Presence`."""
        for connection, expel in tuple(self._present.values()):
            if connection.principal == principal:
                expel()
