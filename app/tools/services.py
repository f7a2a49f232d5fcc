"""What tools are given to work with: ports, and None for what this server does not have."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.clock import Clock
from core.documents import FoundPassage
from core.ports.notes import Notes
from core.ports.query import ReadOnlyDatabase
from core.ports.web import WebFetcher, Webhooks
from core.principal import Principal

T = TypeVar("T")


class Search(Protocol):
    """Finds passages in the documents that a principal may see."""

    async def search(
        self, principal: Principal, collection_name: str, query: str, limit: int
    ) -> list[FoundPassage]:
        """Return at most `limit` passages, the best first.

        Raises `NotFound` naming the collections there are where this one does not exist.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolServices:
    """What every tool of this server may use.

    fetch_allowed_hosts: where `web` may go once something from outside has entered a run.
    """

    clock: Clock
    search: Search | None = None
    notes: Notes | None = None
    web: WebFetcher | None = None
    fetch_allowed_hosts: tuple[str, ...] = ()
    webhooks: Webhooks | None = None
    database: ReadOnlyDatabase | None = None

    def has(self, names: Collection[str]) -> bool:
        """Whether all of these fields are there, and have something in them to use."""
        return all(self._has(name) for name in names)

    def _has(self, name: str) -> bool:
        if name == "webhooks":
            return self.webhooks is not None and bool(self.webhooks.names)
        return getattr(self, name) is not None


def needed(service: T | None) -> T:
    """Return a service that the tool says it `needs`: it is not called where there is none."""
    if service is None:
        raise LookupError("A tool was called without a service that it needs.")
    return service
