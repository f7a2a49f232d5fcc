"""Cuts a document into parents, which are quoted, and their children, which are searched.

A parent never crosses a page, so that the page which a citation names is the right one.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from math import ceil

from app.compute.spans import Border, Span, spans
from core.ports.compute import ChildChunk, ChunkedDocument, ParentChunk, ReadDocument

PARENT_TOKENS = 512
CHILD_TOKENS = 128
# A cut is made at the best border in the last part of what would fit.
FULL_ENOUGH = 0.6
# Room above an even share, so that good borders can be taken and the last chunk is not a scrap.
EVEN_SHARE = 1.2


def chunk_document(document: ReadDocument) -> ChunkedDocument:
    """Return the chunks of a document, each without white space at its ends.

    Everything but white space is in exactly one child, and every child in exactly one parent. Takes
    time in proportion to the text, whatever is in it.
    """
    parents: list[ParentChunk] = []
    children: list[ChildChunk] = []
    for start, end in _pages(document):
        page_spans = list(spans(document.text, start, end, CHILD_TOKENS))
        for pack in _packs(page_spans, PARENT_TOKENS):
            children.extend(
                ChildChunk(*_trimmed(document.text, part), parent=len(parents))
                for part in _packs(pack, CHILD_TOKENS)
            )
            first, last = _trimmed(document.text, pack)
            parents.append(ParentChunk(first, last, _page(document, first)))
    return ChunkedDocument(tuple(parents), tuple(children))


def _pages(document: ReadDocument) -> Iterator[tuple[int, int]]:
    starts = document.page_starts or (0,)
    return zip(starts, (*starts[1:], len(document.text)), strict=True)


def _packs(line: Sequence[Span], limit: int) -> Iterator[Sequence[Span]]:
    """Yield runs of spans, of about the same size and at most `limit` tokens each."""
    total = sum(span.tokens for span in line)
    limit = min(limit, ceil(total / ceil(total / limit) * EVEN_SHARE)) if total else limit
    pack: list[Span] = []
    held = 0
    for span in line:
        while pack and held + span.tokens > limit:
            cut = _best_cut(pack, limit * FULL_ENOUGH)
            yield pack[:cut]
            pack = pack[cut:]
            held = sum(span.tokens for span in pack)
        pack.append(span)
        held += span.tokens
    if pack:
        yield pack


def _best_cut(pack: Sequence[Span], enough: float) -> int:
    """Return how many spans to take: up to the last of the best borders once there are enough."""
    best, border, held = len(pack), Border.LETTER, 0
    for count, span in enumerate(pack, start=1):
        held += span.tokens
        if held >= enough and span.border >= border:
            best, border = count, span.border
    return best


def _trimmed(text: str, pack: Sequence[Span]) -> tuple[int, int]:
    start, end = pack[0].start, pack[-1].end
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return start, end


def _page(document: ReadDocument, offset: int) -> int | None:
    return bisect_right(document.page_starts, offset) or None
