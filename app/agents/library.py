"""What agents need from the documents: find passages, and look their text up."""

from collections.abc import Collection
from typing import Protocol

from core.documents import FoundPassage, Passage
from core.ids import PassageId
from core.principal import Principal


class Library(Protocol):
    """The documents that a principal may see."""

    async def search(
        self, principal: Principal, collection_name: str, query: str, limit: int
    ) -> list[FoundPassage]:
        """Return at most `limit` passages, the best first.

        Raises `NotFound` naming the collections there are where this one does not exist.
        """
        ...

    async def passages(
        self, principal: Principal, passage_ids: Collection[PassageId]
    ) -> dict[PassageId, Passage]:
        """Return those passages that still exist."""
        ...

    async def has_documents(self, principal: Principal, collection_name: str) -> bool:
        """Whether there is anything to search; raises `NotFound` as `search` does."""
        ...
