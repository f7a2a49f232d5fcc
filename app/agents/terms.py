"""Turns a text into the terms by which two texts are compared, in any script."""

import re
import unicodedata

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # and kana
_THAI = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # and Lao, Burmese, Khmer

_RUN = re.compile(rf"(?P<han>[{_HAN}]+)|(?P<thai>[{_THAI}]+)|(?P<word>[^\W_{_HAN}{_THAI}]+)")
_ACCENTS = re.compile(r"[\u0300-\u036f\u064b-\u065f\u0670]")
_ARABIC_ARTICLE = re.compile(r"^[وفبكل]?ال(?=\w{3})")
_GRAM_SIZE = {"han": 2, "thai": 3}

_STEM = 5
"""Words are compared by their first letters, which serves every language that inflects at the end.

Of 4 to 7 and whole words, 5 found the most answers in six languages (en de es ru zh ar)."""

_SHORT_WORDS = {1: 0.1, 2: 0.15, 3: 0.4, 4: 0.7}
"""In languages with spaces, the short words are the ones that say little; no lists are needed."""

_ASKING_WORDS = (
    "what which where when who whose whom why how many much long does did tell give show find"
    " explain describe please about could would should there their these those"
)
_ASKING = 0.2
"""What English questions are made of says little too, though some of it is long."""


def terms_of(text: str) -> list[str]:
    """Return a text's terms in order: stems of words, or overlapping characters without spaces."""
    terms: list[str] = []
    for run in _RUN.finditer(_plain(text)):
        size = _GRAM_SIZE.get(run.lastgroup or "")
        terms += _grams(run.group(), size) if size else [_stem(run.group())]
    return terms


def weight_of(term: str) -> float:
    """Return how much a term says, 0..1."""
    if is_gram(term) or term.isdigit():
        return 1.0
    if term in _ASKING_TERMS:
        return _ASKING
    return _SHORT_WORDS.get(len(term), 1.0)


def is_gram(term: str) -> bool:
    """Whether a term comes from a script without spaces between words."""
    kind = _RUN.match(term)
    return kind is not None and kind.lastgroup != "word"


def _plain(text: str) -> str:
    """Return a text without case and accents, so that `Café` is `cafe`."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread))


def _stem(word: str) -> str:
    if word.isdigit() or len(word) <= 3:
        return word
    if word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if not word.isascii():
        word = _ARABIC_ARTICLE.sub("", word)
    return word[:_STEM]


def _grams(letters: str, size: int) -> list[str]:
    return [letters[i : i + size] for i in range(max(1, len(letters) - size + 1))]


_ASKING_TERMS = frozenset(map(_stem, _ASKING_WORDS.split()))
