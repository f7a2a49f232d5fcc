"""Reads, chunks and embeds in worker processes, so that the event loop is never blocked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from types import TracebackType

import structlog

from app.compute import desks
from app.compute.child import BUG, DONE, Handler, Limits, Outcome
from app.compute.worker import Worker, WorkerDied
from core.errors import (
    AppError,
    DeadlineExceeded,
    Internal,
    ModelUnavailable,
    TooLarge,
    UnreadableDocument,
)
from core.ports.compute import ChunkedDocument, ReadDocument
from core.ports.text_embedder import TextEmbedder
from core.vectors import TextVectors

log = structlog.get_logger(__name__)

READER_MEMORY_BYTES = 1024 * 1024 * 1024
EMBED_SECONDS = 60.0
# Half a second's work: small enough to show progress and to share the workers fairly.
BATCH = 16
# Documents make way for questions and for the server itself.
NICENESS = 10

_ERRORS: dict[str, type[AppError]] = {
    error.code: error for error in (UnreadableDocument, TooLarge, ModelUnavailable)
}


class ProcessCompute:
    """See `Compute`. Leaving it ends every process.

    embedder: makes the embedder, in the workers, which load it by its name.
    workers: how many processes embed documents, and how many read them; questions have one more.
    """

    def __init__(
        self,
        embedder: Callable[[], TextEmbedder],
        workers: int,
        read_timeout_seconds: float,
    ) -> None:
        desk = partial(desks.embedding_desk, embedder)
        self._query_worker = Worker(desk, answer_seconds=EMBED_SECONDS)
        self._workers = [
            Worker(desk, answer_seconds=EMBED_SECONDS, niceness=NICENESS) for _ in range(workers)
        ]
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._idle.put_nowait(worker)
        self._readers = asyncio.Semaphore(workers)
        self._read_timeout_seconds = read_timeout_seconds

    async def __aenter__(self) -> "ProcessCompute":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def warm(self) -> None:
        """Load the model for questions, so that the first one need not wait for it.

        Raises `AppError` where it can't be loaded.
        """
        await self.embed_query("warm")

    async def close(self) -> None:
        """End every process that embeds; those that read end with their calls."""
        for worker in (self._query_worker, *self._workers):
            await worker.close()

    async def read(self, path: Path, name: str) -> ReadDocument:
        """See `Compute`."""
        try:
            return desks.unpacked_document(
                await self._in_new_process(desks.reading_desk, str(path), name)
            )
        except WorkerDied:
            raise UnreadableDocument(
                "This file needs far more memory or time than a document does, so reading it was "
                "stopped. It may be broken."
            ) from None

    async def chunk(self, document: ReadDocument) -> ChunkedDocument:
        """See `Compute`."""
        try:
            return desks.unpacked_chunks(
                await self._in_new_process(desks.chunking_desk, document.text, document.page_starts)
            )
        except WorkerDied:
            raise Internal("Cutting the document into passages failed.") from None

    async def embed(self, texts: Sequence[str]) -> AsyncIterator[list[TextVectors]]:
        """See `Compute`; each worker has one batch of `texts` at a time."""
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        for first in range(0, len(batches), len(self._workers)):
            for vectors in await self._embed_round(batches[first : first + len(self._workers)]):
                yield vectors

    async def embed_query(self, text: str) -> TextVectors:
        """See `Compute`; questions wait for each other only."""
        (vectors,) = await _embedded(self._query_worker, desks.QUERY, [text])
        return vectors

    async def _embed_round(self, batches: Sequence[Sequence[str]]) -> list[list[TextVectors]]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._embed_batch(batch)) for batch in batches]
        except ExceptionGroup as errors:
            # They are alike; the caller gets one, as from a single worker.
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _embed_batch(self, batch: Sequence[str]) -> list[TextVectors]:
        worker = await self._idle.get()
        try:
            return await _embedded(worker, desks.PASSAGES, list(batch))
        finally:
            self._idle.put_nowait(worker)

    async def _in_new_process(self, desk: Callable[[], Handler], *question: object) -> object:
        # What a file does to its process, the next file must not feel.
        seconds = self._read_timeout_seconds
        limits = Limits(READER_MEMORY_BYTES, cpu_seconds=ceil(seconds) + 1)
        async with self._readers:
            worker = Worker(desk, answer_seconds=seconds, limits=limits, niceness=NICENESS)
            try:
                return _content(await worker.ask(*question))
            except TimeoutError:
                raise DeadlineExceeded(
                    f"Reading this file took longer than the {seconds:g} seconds it may take."
                ) from None
            finally:
                await worker.close()


async def _embedded(worker: Worker, kind: str, texts: list[str]) -> list[TextVectors]:
    try:
        return desks.unpacked_vectors(_content(await worker.ask(kind, texts)))
    except TimeoutError:
        raise DeadlineExceeded("The embedding model took too long to answer.") from None
    except WorkerDied:
        raise ModelUnavailable("The embedding model stopped in the middle of its work.") from None


def _content(outcome: Outcome) -> object:
    kind, content = outcome
    if kind == DONE:
        return content
    if kind == BUG:
        log.error("worker_failed", traceback=content)
        raise Internal("Something went wrong on our side while a document was worked on.")
    raise _ERRORS.get(kind, Internal)(str(content))
