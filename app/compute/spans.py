"""Finds where a text may be cut, and how good a place each is."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from app.compute.token_estimate import count_tokens, token_ends

# A span with fewer tokens is one with the next: a heading stays with its text, and a file of
# nothing but line breaks does not become millions of spans.
SMALLEST = 6
# How far back from where a span is full a better place is looked for.
LOOK_BACK = 100


class Border(IntEnum):
    """What a cut would separate; the higher, the better the place."""

    LETTER = 0
    CLAUSE = 1
    SENTENCE = 2
    LINE = 3
    PARAGRAPH = 4
    PAGE = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that is not cut again.

    start, end: the next span starts where this one ends, across pages with nothing on them.
    border: what ends with it.
    """

    start: int
    end: int
    tokens: int
    border: Border


# No alternative may look over a run more than once, however long it is: hence the limits on what
# follows a full stop, and the possessive `++`.
_BORDER = re.compile(
    r"""(?P<PARAGRAPH>\n[^\S\n]*+\n\s*+)
    |(?P<LINE>\n)
    |(?P<SENTENCE>
        [.!?\u2026\u061f\u06d4]["'”’»)\]]{0,3}(?=\s++(?![a-z]))
        |[。！？｡．\u0964\u0965\u104b\u17d4\u1362]{1,8}["'”’」』）]{0,3}
    )
    |(?P<CLAUSE>
        [;:\u2014](?=\s)
        |[，、；：]
        |(?<=[\u0e00-\u0eff])[ ](?=[\u0e00-\u0eff])  # Thai and Lao put a space where a phrase ends
    )""",
    re.VERBOSE,
)


def spans(text: str, start: int, end: int, limit: int) -> Iterator[Span]:
    """Yield the spans of a page, `text[start:end]`, in order; nothing where it is blank.

    limit: tokens that a span has at most.
    """
    held = 0
    at = start
    for place, border in _borders(text, start, end):
        tokens = count_tokens(text[at:place])
        at = place
        if held + tokens > limit:
            yield from _split(text, start, place, border, limit)
        elif held + tokens < SMALLEST and border is not Border.PAGE:
            held += tokens
            continue
        elif held + tokens:
            yield Span(start, place, held + tokens, border)
        start, held = place, 0


def _borders(text: str, start: int, end: int) -> Iterator[tuple[int, Border]]:
    place, border = start, Border.LETTER
    for found in _BORDER.finditer(text, start, end):
        # A sentence that ends with its paragraph is one border, and the better of the two.
        if text[place : found.start()].strip():
            yield place, border
            border = Border.LETTER
        place, border = found.end(), max(border, Border[found.lastgroup or "LETTER"])
    if place < end:
        yield place, border
    yield end, Border.PAGE


def _split(text: str, start: int, end: int, border: Border, limit: int) -> Iterator[Span]:
    """Yield the parts of a stretch that is too long for one span."""
    tokens = 0
    full = start
    for place in token_ends(text, start, end):
        if tokens == limit:
            cut = _place_before(text, start, full)
            yield Span(start, cut, tokens - count_tokens(text[cut:full]), Border.LETTER)
            tokens = count_tokens(text[cut:full])
            start = cut
        tokens += 1
        full = place
    yield Span(start, end, tokens, border)


def _place_before(text: str, start: int, full: int) -> int:
    """Return the best place to cut in the last part of `text[start:full]`."""
    earliest = max(start + 1, full - LOOK_BACK)
    for place in range(full, earliest, -1):
        if text[place].isspace() or text[place - 1].isspace():
            return place
    # An accent or a vowel sign stays with its letter.
    for place in range(full, earliest, -1):
        if not unicodedata.category(text[place]).startswith("M"):
            return place
    return full
