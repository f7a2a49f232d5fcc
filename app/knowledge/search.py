"""Finds passages: dense and lexical search of one collection, made one order."""

from collections.abc import Collection as Some
from collections.abc import Sequence

from app.knowledge.ranking import RankedPassage, rank
from core.documents import FoundPassage, Passage
from core.ids import PassageId
from core.ports.collection_store import CollectionStore
from core.ports.compute import Compute
from core.ports.document_store import DocumentStore, PassageStore
from core.ports.vector_store import VectorStore
from core.principal import Principal

# Several chunks of one passage may be found, and some of a document that is not ready yet. With
# 30 chunks the order got worse by a hundredth (nDCG@10), with 200 no better.
CHUNKS_AT_LEAST = 100
CHUNKS_PER_PASSAGE = 10


class Search:
    """Finds what a tenant's documents say about something."""

    def __init__(
        self,
        collections: CollectionStore,
        documents: DocumentStore,
        passages: PassageStore,
        vectors: VectorStore,
        compute: Compute,
    ) -> None:
        self._collections = collections
        self._documents = documents
        self._passages = passages
        self._vectors = vectors
        self._compute = compute

    async def search(
        self, principal: Principal, collection_name: str, query: str, limit: int
    ) -> list[FoundPassage]:
        """Return at most `limit` passages, the best first.

        Raises `NotFound`, naming the collections that there are; `StorageUnavailable`.
        """
        collection = await self._collections.get(principal, collection_name)
        query_vectors = await self._compute.embed_query(query)
        chunk_limit = max(CHUNKS_AT_LEAST, CHUNKS_PER_PASSAGE * limit)
        hits = await self._vectors.search(
            principal.tenant_id, collection.id, query_vectors, chunk_limit
        )
        ranked = rank(hits)
        found = await self._read(principal, ranked[:limit])
        if len(found) < limit:
            # Those of documents that are not ready fell out; as many again may take their place.
            found += await self._read(principal, ranked[limit : 2 * limit])
        return found[:limit]

    async def passages(
        self, principal: Principal, passage_ids: Some[PassageId]
    ) -> dict[PassageId, Passage]:
        """Return those passages that there are, by their ids."""
        return await self._passages.get(principal, passage_ids)

    async def has_documents(self, principal: Principal, collection_name: str) -> bool:
        """Return whether anything can be found there: one look-up by index.

        Raises `NotFound` as `search` does.
        """
        found = await self._documents.has_ready(principal, collection_name)
        if found is None:
            # The default one comes into being by being asked for; any other is missing.
            await self._collections.get(principal, collection_name)
        return bool(found)

    async def _read(
        self, principal: Principal, ranked: Sequence[RankedPassage]
    ) -> list[FoundPassage]:
        there = await self._passages.get(principal, [item.passage_id for item in ranked])
        return [
            FoundPassage(there[item.passage_id], item.score, item.focus_start, item.focus_end)
            for item in ranked
            if item.passage_id in there
        ]
