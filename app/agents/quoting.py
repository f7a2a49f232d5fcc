"""Finds what an answer cites, and the words in each source that bear it out."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from app.agents.overlap import shares
from app.agents.sentences import Span, split_sentences
from app.agents.sources import Source
from app.agents.terms import terms_of
from core.conversations import Citation

_MARKER = re.compile(r"[\[【][ ]?(\d{1,3}(?:[ ]?[,，、;][ ]?\d{1,3})*)[ ]?[\]】]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)

_NEIGHBOUR = 0.2
"""A quote takes a neighbouring sentence along that adds this share of the statement."""


def cite(answer: str, sources: Sequence[Source]) -> list[Citation]:
    """Return one citation for each number that `answer` uses and that is there, ascending.

    A number used more than once gets the quote of the statement that its source fits best.
    """
    quotable: dict[int, QuotableSource] = {}
    best: dict[int, tuple[float, Span]] = {}
    by_number = {source.number: source for source in sources}
    for number, statement in _statements(answer):
        if number not in by_number:
            continue
        if number not in quotable:
            quotable[number] = QuotableSource(by_number[number])
        fit, quote = quotable[number].quote_for(statement)
        if number not in best or fit > best[number][0]:
            best[number] = fit, quote
    return [by_number[number].cite(number, quote) for number, (_, quote) in sorted(best.items())]


def without_markers(text: str) -> str:
    """Return a text without its citation numbers."""
    return _MARKER.sub("", text)


class QuotableSource:
    """A source cut into sentences, to be quoted for any number of statements."""

    def __init__(self, source: Source) -> None:
        self._focus = source.focus
        self._sentences = split_sentences(source.text) or [Span(0, len(source.text))]
        self._terms = [terms_of(sentence.of(source.text)) for sentence in self._sentences]

    def quote_for(self, statement: str) -> tuple[float, Span]:
        """Return how well the source bears `statement` out, 0..1, and the words that do it best.

        Where they have no word in common (another language), the words are those that the search
        found.
        """
        wanted = terms_of(statement)
        fits = shares(wanted, self._terms)
        best = max(range(len(fits)), key=fits.__getitem__)
        if not fits[best]:
            return 0.0, self._focused()
        first, last = self._with_neighbour(best, wanted)
        return fits[best], Span(self._sentences[first].start, self._sentences[last].end)

    def _with_neighbour(self, best: int, wanted: list[str]) -> tuple[int, int]:
        """Return the first and last sentence of the quote around the best one."""
        pairs = [(i, i + 1) for i in (best - 1, best) if i >= 0 and i + 1 < len(self._terms)]
        joined = [self._terms[first] + self._terms[last] for first, last in pairs]
        alone, *together = shares(wanted, [self._terms[best], *joined])
        gains = ((share - alone, pair) for share, pair in zip(together, pairs, strict=True))
        gain, pair = max(gains, default=(0.0, (best, best)))
        return pair if gain >= _NEIGHBOUR else (best, best)

    def _focused(self) -> Span:
        found = [sentence for sentence in self._sentences if sentence.overlaps(self._focus)]
        return (found or self._sentences)[0]


def _statements(answer: str) -> Iterator[tuple[int, str]]:
    """Yield each number with the sentence that it stands in, or behind."""
    # Brackets in code are indices; blanks keep every offset.
    prose = _CODE.sub(lambda code: " " * len(code.group()), answer)
    sentences = split_sentences(prose)
    starts = [sentence.start for sentence in sentences]
    end_of_last, carrier = 0, ""
    for marker in _MARKER.finditer(prose):
        between = prose[end_of_last : marker.start()].rstrip()
        # `It rained. [1][2]`: a number behind the full stop belongs to the sentence before it.
        if between or not carrier:
            index = bisect_right(starts, max(0, end_of_last + len(between) - 1)) - 1
            carrier = without_markers(sentences[max(0, index)].of(prose))
        end_of_last = marker.end()
        for number in re.findall(r"\d+", marker.group(1)):
            yield int(number), carrier
