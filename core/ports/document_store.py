"""The ports to documents and their passages on disk."""

from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.documents import Document, Passage
from core.ids import CollectionId, DocumentId, PassageId
from core.principal import Principal


@dataclass(frozen=True, slots=True)
class DocumentMark:
    """A place in the list of documents, which is ordered by age, newest first."""

    created_at: datetime
    id: DocumentId


class DocumentStore(Protocol):
    """Keeps documents; a call sees its tenant's only."""

    async def get(self, principal: Principal, document_id: DocumentId) -> Document:
        """Return the document. Raises `NotFound`."""
        ...

    async def list(
        self,
        principal: Principal,
        collection_id: CollectionId,
        limit: int,
        before: DocumentMark | None = None,
    ) -> Sequence[Document]:
        """Return at most `limit` documents, the newest first, older than `before`."""
        ...

    async def has_ready(self, principal: Principal, collection_name: str) -> bool | None:
        """Return whether anything in a collection can be found; None where there is no such."""
        ...

    async def delete(self, principal: Principal, document_id: DocumentId) -> None:
        """Delete it with its passages; nothing happens where it is not there."""
        ...


class PassageStore(Protocol):
    """Keeps passages. Those of a document that is not `ready` are never given."""

    async def add(self, principal: Principal, passages: Sequence[Passage]) -> None:
        """Keep passages of one document, which is there."""
        ...

    async def get(
        self, principal: Principal, passage_ids: Some[PassageId]
    ) -> dict[PassageId, Passage]:
        """Return those that there are, by their ids."""
        ...

    async def clear(self, principal: Principal, document_id: DocumentId) -> None:
        """Forget a document's passages; nothing happens where there are none."""
        ...
