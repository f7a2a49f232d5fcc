"""The port to what people and tenants have used."""

from typing import NamedTuple, Protocol

from core.budgets import Spent
from core.principal import Principal


class SpentToday(NamedTuple):
    """What was used since midnight UTC by the database's clock, by all runs that have ended."""

    user: Spent
    tenant: Spent


class Spending(Protocol):
    """Reads what was used; `RunStore.finish` adds to it. Raises `StorageUnavailable`."""

    async def today(self, principal: Principal) -> SpentToday:
        """Return what the caller and its tenant have used today."""
        ...
