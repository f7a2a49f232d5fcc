"""The port to the stateless work on documents: read, chunk, embed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.vectors import TextVectors


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A file as text.

    media_type: what it really is, from its bytes, whatever its name says.
    page_starts: the offset in `text` where each page begins, ascending, the first is 0; empty
        where the format has no pages.
    """

    text: str
    media_type: str
    page_starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChildChunk:
    """A stretch of text that is searched (about 128 tokens).

    start, end: in characters of the document's text, end exclusive.
    parent: index of the parent chunk that contains it.
    """

    start: int
    end: int
    parent: int


@dataclass(frozen=True, slots=True)
class ParentChunk:
    """A stretch of text that is quoted (about 512 tokens); offsets as in `ChildChunk`.

    page: of its first character, from 1; None where the format has no pages.
    """

    start: int
    end: int
    page: int | None


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """A document cut for search; both lists are in the order of the text."""

    parents: tuple[ParentChunk, ...]
    children: tuple[ChildChunk, ...]


class Compute(Protocol):
    """Reads, chunks and embeds, off the event loop; keeps nothing."""

    async def read(self, path: Path, name: str) -> ReadDocument:
        """Return the text of the file at `path`, uploaded as `name`.

        Raises `UnreadableDocument` with a sentence for a person (empty, encrypted, broken,
        mislabelled, too large once unpacked, no text in it), `DeadlineExceeded` when it takes
        longer than it may. Cancelling leaves nothing behind.
        """
        ...

    async def chunk(self, document: ReadDocument) -> ChunkedDocument:
        """Cut a document at sentence and paragraph borders where it can."""
        ...

    def embed(self, texts: Sequence[str]) -> AsyncIterator[list[TextVectors]]:
        """Yield the vectors of `texts` in order, some at a time, so that progress can be told."""
        ...

    async def embed_query(self, text: str) -> TextVectors:
        """Return the vectors of a question; never waits behind `embed`."""
        ...
