"""A stand-in for reading and embedding that is easy to foresee, and waits when it is told."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from core.errors import UnreadableDocument
from core.ports.compute import ChildChunk, ChunkedDocument, ParentChunk, ReadDocument
from core.vectors import SparseVector, TextVectors

DIMENSION = 384
EMBED_BATCH = 8
PAGE_BREAK = "\f"


class ParagraphCompute:
    """See `Compute`. A paragraph is a passage, a sentence is a chunk, a form feed ends a page.

    gate: `embed` waits for it; open at first.
    reads: how many files were begun.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.reads = 0

    async def read(self, path: Path, name: str) -> ReadDocument:
        self.reads += 1
        raw = await asyncio.to_thread(path.read_bytes)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise UnreadableDocument(f"'{name}' is not text.") from None
        if not text.strip():
            raise UnreadableDocument(f"'{name}' is empty.")
        breaks = [place.end() for place in re.finditer(PAGE_BREAK, text)]
        return ReadDocument(text, "text/plain", (0, *breaks) if breaks else ())

    async def chunk(self, document: ReadDocument) -> ChunkedDocument:
        parents, children = [], []
        for paragraph in re.finditer(r"[^\n\f]+", document.text):
            page = sum(start <= paragraph.start() for start in document.page_starts) or None
            parents.append(ParentChunk(paragraph.start(), paragraph.end(), page))
            for sentence in re.finditer(r"[^.!?]+[.!?]?", paragraph.group()):
                start = paragraph.start() + sentence.start()
                end = paragraph.start() + sentence.end()
                children.append(ChildChunk(start, end, len(parents) - 1))
        return ChunkedDocument(tuple(parents), tuple(children))

    async def embed(self, texts: Sequence[str]) -> AsyncIterator[list[TextVectors]]:
        for first in range(0, len(texts), EMBED_BATCH):
            await self.gate.wait()
            yield [_vectors(text) for text in texts[first : first + EMBED_BATCH]]

    async def embed_query(self, text: str) -> TextVectors:
        return _vectors(text)


def _vectors(text: str) -> TextVectors:
    words = re.findall(r"\w+", text.lower())
    terms = sorted({crc32(word.encode()) >> 1 for word in words})
    dense = np.full(DIMENSION, 0.001, dtype=np.float32)
    for term in terms:
        dense[term % DIMENSION] += 1
    sparse = SparseVector(tuple(terms), (1.0,) * len(terms))
    return TextVectors(dense / np.linalg.norm(dense), sparse)
