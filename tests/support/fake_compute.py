"""Computes in the process, at once: the real readers, chunker and BM25, a tiny embedder."""

import re
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.compute.bm25 import encode_passage, encode_query
from app.compute.chunking import chunk_document
from app.compute.reading import read_document
from core.ports.compute import ChunkedDocument, ReadDocument
from core.vectors import TextVectors

DIMENSION = 384
BATCH = 4

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """See `TextEmbedder`; texts are near each other where they share words."""

    @property
    def dimension(self) -> int:
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()) or [""]:
                vectors[row, zlib.crc32(word.encode()) % DIMENSION] += 1
        lengths: npt.NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths


class FakeCompute:
    """See `Compute`."""

    def __init__(self) -> None:
        self._embedder = HashingEmbedder()

    async def read(self, path: Path, name: str) -> ReadDocument:
        return read_document(path, name)

    async def chunk(self, document: ReadDocument) -> ChunkedDocument:
        return chunk_document(document)

    async def embed(self, texts: Sequence[str]) -> AsyncIterator[list[TextVectors]]:
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            dense = self._embedder.embed(batch)
            yield [
                TextVectors(row, encode_passage(text))
                for row, text in zip(dense, batch, strict=True)
            ]

    async def embed_query(self, text: str) -> TextVectors:
        return TextVectors(self._embedder.embed([text])[0], encode_query(text))
