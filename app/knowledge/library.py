"""Shows and removes what a tenant keeps: collections, documents, passages, files."""

from collections.abc import AsyncIterator, Sequence

from app.knowledge.names import clean_collection_name
from core.documents import DEFAULT_COLLECTION, Collection, Document, Passage
from core.errors import Conflict, NotFound
from core.ids import DocumentId, PassageId
from core.ports.blobs import BlobStore
from core.ports.collection_store import CollectionStore
from core.ports.document_store import DocumentMark, DocumentStore, PassageStore
from core.ports.job_store import JobStore
from core.ports.vector_store import VectorStore
from core.principal import Principal

DELETE_BATCH = 100


class Library:
    """A tenant's collections and documents. A call sees its caller's tenant only."""

    def __init__(
        self,
        collections: CollectionStore,
        documents: DocumentStore,
        passages: PassageStore,
        jobs: JobStore,
        vectors: VectorStore,
        blobs: BlobStore,
    ) -> None:
        self._collections = collections
        self._documents = documents
        self._passages = passages
        self._jobs = jobs
        self._vectors = vectors
        self._blobs = blobs

    async def collections(self, principal: Principal) -> Sequence[Collection]:
        """Return all collections by name; `default` is always one of them."""
        return await self._collections.list(principal)

    async def collection(self, principal: Principal, name: str) -> Collection:
        """Return one collection. Raises `NotFound`, naming those that there are."""
        return await self._collections.get(principal, name)

    async def add_collection(self, principal: Principal, name: str) -> Collection:
        """Make a collection. Raises `InvalidRequest`, `Conflict`."""
        return await self._collections.create(principal, clean_collection_name(name))

    async def delete_collection(self, principal: Principal, name: str) -> None:
        """Delete a collection with its documents. Raises `NotFound`, `Conflict` (`default`)."""
        collection = await self._collections.get(principal, name)
        if name == DEFAULT_COLLECTION:
            raise Conflict(f"The collection '{DEFAULT_COLLECTION}' can't be deleted.")
        # Somebody may upload into it meanwhile: it goes when it is found empty.
        while not await self._collections.delete(principal, name):
            for document in await self._documents.list(principal, collection.id, DELETE_BATCH):
                await self.delete_document(principal, document.id)

    async def documents(
        self,
        principal: Principal,
        collection_name: str,
        limit: int,
        before: DocumentMark | None = None,
    ) -> Sequence[Document]:
        """Return at most `limit` documents, the newest first, older than `before`.

        Raises `NotFound`, naming the collections that there are.
        """
        collection = await self._collections.get(principal, collection_name)
        return await self._documents.list(principal, collection.id, limit, before)

    async def document(self, principal: Principal, document_id: DocumentId) -> Document:
        """Return one document. Raises `NotFound`."""
        return await self._documents.get(principal, document_id)

    async def delete_document(self, principal: Principal, document_id: DocumentId) -> None:
        """Delete a document and all that was made of it; its job stops. Raises `NotFound`.

        The row goes last: a server that dies in between leaves a document that can be deleted
        again, never a file that nobody knows of. A job that is under way clears up what it adds
        before it sees that it is cancelled.
        """
        await self._documents.get(principal, document_id)
        await self._jobs.cancel(principal, document_id)
        await self._vectors.delete_document(principal.tenant_id, document_id)
        await self._blobs.delete(document_id)
        await self._documents.delete(principal, document_id)

    async def passage(
        self, principal: Principal, document_id: DocumentId, passage_id: PassageId
    ) -> Passage:
        """Return a passage of a document. Raises `NotFound`."""
        found = (await self._passages.get(principal, [passage_id])).get(passage_id)
        if found is None or found.document_id != document_id:
            raise NotFound("There is no such passage.")
        return found

    async def content(
        self, principal: Principal, document_id: DocumentId
    ) -> tuple[Document, AsyncIterator[bytes]]:
        """Return a document with its file as it was uploaded. Raises `NotFound`."""
        document = await self._documents.get(principal, document_id)
        return document, await self._blobs.read(document_id)
