"""Cuts a text into sentences with exact offsets, in time linear in its length."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SENTENCE_LIMIT = 600
"""Longest sentence in characters; what runs on is cut at a space, so that a quote stays a quote."""

_THAI_CLAUSE = 60
"""Thai has spaces but no full stops: a space ends a sentence once it has this many characters."""

# Every alternative begins behind a look-behind or a literal and repeats possessively: no
# character is scanned twice, whatever a document is made of.
_BORDER = re.compile(
    r"""
    (?P<mark> (?<![.!?…؟۔।])[.!?…؟۔।]++ ["'”’»)\]*_]*+ (?=\s|$) )   # Latin, Arabic, Devanagari
    | (?P<wide> (?<![。！？｡])[。！？｡]++ [」』”’）】》"]*+ )             # CJK: no space follows
    | (?P<block> \n[^\S\n]*+(?=\n|[-*•#|>]\s|[-*•#|>]{2}|\d{1,3}[.)]\s) )  # paragraph, list, table
    | (?P<thai> (?<=[\u0e00-\u0e7f])[^\S\n]++(?=[\u0e00-\u0e7f]) )
    """,
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"[\w.]+$")
_LOOK_BACK = 16
_LOOK_AHEAD = 8

_NAMES_FOLLOW = (
    "al approx bzw ca cf dipl dr eg gen hr ie ing lt mr mrs ms mt prof rev sen sr sra st vgl viz vs"
    " zb проф"
)
_NUMBERS_FOLLOW = (
    "abb art ch eq fig figs no nos nr núm p pp pág ref sec tab vol vols гл рис см ст стр табл"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_BEFORE_NAMES = frozenset(_NAMES_FOLLOW.split())
_BEFORE_NUMBERS = frozenset(_NUMBERS_FOLLOW.split())


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, in characters, end exclusive."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return the stretch itself."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether the two have a character in common."""
        return self.start < other.end and other.start < self.end


def split_sentences(text: str) -> list[Span]:
    """Return the sentences in order, without the white space around them; none is empty.

    Every letter and digit of `text` is in exactly one of them. A line break inside a sentence
    (hard-wrapped text) does not end it; an empty line, a list item or a table row does.
    """
    return [
        piece
        for start, end in _stretches(text)
        for piece in _pieces(text, start, end)
        if any(map(str.isalnum, piece.of(text)))
    ]


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for border in _BORDER.finditer(text):
        if _ends_sentence(text, start, border):
            yield start, border.end()
            start = border.end()
    yield start, len(text)


def _ends_sentence(text: str, start: int, border: re.Match[str]) -> bool:
    if border.lastgroup == "thai":
        return border.start() - start >= _THAI_CLAUSE
    if border.lastgroup != "mark" or text[border.start()] != ".":
        return True
    following = text[border.end() : border.end() + _LOOK_AHEAD].lstrip()[:1]
    # Before a small letter a full stop ended nothing.
    return not following.islower() and not _is_abbreviated(text, start, border.start(), following)


def _is_abbreviated(text: str, start: int, dot: int, following: str) -> bool:
    """Whether the full stop at `dot` belongs to the word before it (`Dr.`, `J.`, `e.g.`, `1.`)."""
    word = _LAST_WORD.search(text, max(start, dot - _LOOK_BACK), dot)
    if word is None:
        return False
    letters = word.group().replace(".", "").casefold()
    if letters in _BEFORE_NUMBERS:
        return following.isdigit()
    is_initial = len(letters) == 1 and letters.isalpha()
    is_list_number = letters.isdigit() and not text[start : word.start()].strip()
    return is_initial or is_list_number or "." in word.group()[1:] or letters in _BEFORE_NAMES


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield a stretch without the white space around it, cut where it is over the limit."""
    rest = _trimmed(text, start, end)
    while rest.end - rest.start > SENTENCE_LIMIT:
        limit = rest.start + SENTENCE_LIMIT
        space = text.rfind(" ", rest.start + SENTENCE_LIMIT // 2, limit)
        cut = space if space > 0 else limit
        yield _trimmed(text, rest.start, cut)
        rest = _trimmed(text, cut, rest.end)
    yield rest


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
