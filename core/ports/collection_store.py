"""The port to collections on disk."""

from collections.abc import Sequence
from typing import Protocol

from core.documents import Collection
from core.principal import Principal


class CollectionStore(Protocol):
    """Keeps each tenant's collections. The one named `default` is there from the start."""

    async def create(self, principal: Principal, name: str) -> Collection:
        """Make a collection. Raises `Conflict` where the tenant has one of this name."""
        ...

    async def get(self, principal: Principal, name: str) -> Collection:
        """Return the collection. Raises `NotFound`, naming those that there are."""
        ...

    async def list(self, principal: Principal) -> Sequence[Collection]:
        """Return all collections by name."""
        ...

    async def delete(self, principal: Principal, name: str) -> bool:
        """Delete an empty collection; False, with nothing changed, while it has documents."""
        ...
