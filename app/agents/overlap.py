"""Measures how much of one text's meaning others hold, by the terms they share."""

import math
from collections import Counter
from collections.abc import Sequence

from app.agents.terms import weight_of


def shares(wanted: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[float]:
    """Return for each candidate which share of the weight of the terms `wanted` it holds, 0..1.

    A term weighs more the fewer candidates have it (inverse document frequency, smoothed so that
    a handful of candidates is enough).
    """
    distinct = set(wanted)
    found = [distinct.intersection(candidate) for candidate in candidates]
    counts = Counter(term for terms in found for term in terms)
    weights = {
        term: weight_of(term) * math.log(1 + (len(candidates) + 1) / (counts[term] + 1))
        for term in distinct
    }
    whole = sum(weights.values())
    if not whole:
        return [0.0] * len(candidates)
    return [sum(weights[term] for term in terms) / whole for terms in found]
