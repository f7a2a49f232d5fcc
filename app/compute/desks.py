"""What worker processes do, and the plain values that their answers travel as.

A desk is made in the worker and answers there; what unpacks its answers runs in the server.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from app.compute.bm25 import encode_passage, encode_query
from app.compute.chunking import chunk_document
from app.compute.reading import read_document
from core.ports.compute import ChildChunk, ChunkedDocument, ParentChunk, ReadDocument
from core.ports.text_embedder import TextEmbedder
from core.vectors import SparseVector, TextVectors

PASSAGES = "passages"
QUERY = "query"

PlainDocument = tuple[str, str, tuple[int, ...]]
PlainChunks = tuple[list[tuple[int, int, int | None]], list[tuple[int, int, int]]]
PlainVectors = list[tuple[bytes, tuple[int, ...], tuple[float, ...]]]


def reading_desk() -> Callable[[str, str], PlainDocument]:
    """Return what reads the file at a path, uploaded under a name."""

    def read(path: str, name: str) -> PlainDocument:
        document = read_document(Path(path), name)
        return document.text, document.media_type, document.page_starts

    return read


def unpacked_document(answer: object) -> ReadDocument:
    """Return the document that a reading desk answered with."""
    text, media_type, page_starts = cast(PlainDocument, answer)
    return ReadDocument(text, media_type, page_starts)


def chunking_desk() -> Callable[[str, tuple[int, ...]], PlainChunks]:
    """Return what cuts a text with given page starts."""

    def chunk(text: str, page_starts: tuple[int, ...]) -> PlainChunks:
        chunks = chunk_document(ReadDocument(text, "", page_starts))
        return (
            [(parent.start, parent.end, parent.page) for parent in chunks.parents],
            [(child.start, child.end, child.parent) for child in chunks.children],
        )

    return chunk


def unpacked_chunks(answer: object) -> ChunkedDocument:
    """Return the chunks that a chunking desk answered with."""
    parents, children = cast(PlainChunks, answer)
    return ChunkedDocument(
        tuple(ParentChunk(*parent) for parent in parents),
        tuple(ChildChunk(*child) for child in children),
    )


def embedding_desk(
    make_embedder: Callable[[], TextEmbedder],
) -> Callable[[str, Sequence[str]], PlainVectors]:
    """Return what embeds texts, as `PASSAGES` or as a `QUERY`; loads the model now."""
    embedder = make_embedder()
    encoders = {PASSAGES: encode_passage, QUERY: encode_query}

    def embed(kind: str, texts: Sequence[str]) -> PlainVectors:
        rows = zip(embedder.embed(texts), map(encoders[kind], texts), strict=True)
        return [(dense.tobytes(), sparse.indices, sparse.values) for dense, sparse in rows]

    return embed


def unpacked_vectors(answer: object) -> list[TextVectors]:
    """Return the vectors that an embedding desk answered with."""
    # Deferred: the server starts without it.
    import numpy as np

    return [
        TextVectors(np.frombuffer(dense, np.float32), SparseVector(indices, values))
        for dense, indices, values in cast(PlainVectors, answer)
    ]
