"""Picks the sentences of the sources that answer a question best, without a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.agents.overlap import shares
from app.agents.routing import is_overview
from app.agents.sentences import Span, split_sentences
from app.agents.sources import Source
from app.agents.terms import is_gram, terms_of

QUOTE_LIMIT = 3

# Weights and thresholds were tried on COVID-QA and XQuAD (en de es ru zh ar).
_LENGTH = 0.3
"""How far long sentences are held back, 0..1."""
_LEAD_IN = 0.2
"""How much a sentence gains from the one before it: `He was born in 1879.`"""
_SOURCE = 0.4
"""How much the search's opinion of the source counts."""
_FOCUS = 0.1
"""How much it counts to stand where the search found the source."""

_FIT = 0.24
_FIT_GRAMS = 0.13
"""Share of the question's weight below which a sentence is no answer.

A right passage all alone has nothing above it in 4 to 15 % of the questions, one among six in 1
to 8 %, the nearest wrong ones in half. Overlapping characters match more rarely than words do."""

_HEADING_TERMS = 3
_NEAR_BEST = 0.6
_SAME = 0.8


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a source's text."""

    source: Source
    span: Span

    @property
    def text(self) -> str:
        """The words themselves."""
        return self.span.of(self.source.text)


@dataclass(frozen=True, slots=True)
class _Sentence:
    quote: Quote
    terms: list[str] = field(repr=False)
    is_first: bool


def best_quotes(question: str, sources: Sequence[Source]) -> list[Quote]:
    """Return at most `QUOTE_LIMIT` sentences, the best first; none where nothing fits."""
    if is_overview(question):
        return _openings(sources)
    sentences = [sentence for source in sources for sentence in _sentences(source)]
    wanted = terms_of(question)
    fits = shares(wanted, [sentence.terms for sentence in sentences])
    scores = _scores(sentences, fits, max((source.found.score for source in sources), default=0.0))
    enough = _FIT_GRAMS if sum(map(is_gram, wanted)) * 2 > len(wanted) else _FIT
    ranked = sorted(range(len(sentences)), key=lambda i: -scores[i])
    fitting = [i for i in ranked if fits[i] >= enough]
    if not fitting:
        return []
    near = [sentences[i] for i in fitting if scores[i] >= _NEAR_BEST * scores[fitting[0]]]
    return [sentence.quote for sentence in _distinct(near)][:QUOTE_LIMIT]


def _sentences(source: Source) -> Iterator[_Sentence]:
    for i, span in enumerate(split_sentences(source.text)):
        yield _Sentence(Quote(source, span), terms_of(span.of(source.text)), is_first=i == 0)


def _scores(sentences: list[_Sentence], fits: list[float], best_source: float) -> list[float]:
    mean = sum(len(sentence.terms) for sentence in sentences) / max(1, len(sentences))
    own = [
        fit / (1 - _LENGTH + _LENGTH * len(sentence.terms) / max(1.0, mean))
        for sentence, fit in zip(sentences, fits, strict=True)
    ]
    scores = []
    for i, sentence in enumerate(sentences):
        lead_in = 0.0 if sentence.is_first else _LEAD_IN * own[i - 1]
        source = sentence.quote.source.found.score / best_source if best_source else 0.0
        focus = _FOCUS if sentence.quote.span.overlaps(sentence.quote.source.focus) else 0.0
        scores.append(own[i] + lead_in + _SOURCE * source + focus)
    return scores


def _distinct(sentences: Sequence[_Sentence]) -> Iterator[_Sentence]:
    """Leave out what an earlier one says already (overlapping passages, copies of a document)."""
    said: list[set[str]] = []
    for sentence in sentences:
        terms = set(sentence.terms)
        if all(len(terms & other) < _SAME * len(terms) for other in said):
            said.append(terms)
            yield sentence


def _openings(sources: Sequence[Source]) -> list[Quote]:
    """Return how each source begins, in reading order: the nearest to an overview."""
    in_order = sorted(sources, key=lambda s: (s.passage.document_name, s.passage.ordinal))
    openings = [opening for source in in_order for opening in _opening(source)]
    return [opening.quote for opening in _distinct(openings)][:QUOTE_LIMIT]


def _opening(source: Source) -> list[_Sentence]:
    """Return the first sentence that is no heading; the heading where there is nothing else."""
    sentences = list(_sentences(source))
    whole = [sentence for sentence in sentences if len(sentence.terms) > _HEADING_TERMS]
    return (whole or sentences)[:1]
