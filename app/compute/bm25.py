"""Turns text into the sparse vectors of BM25.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), equation
3.15, in two halves: a passage's vector holds how much each term says about it, and the store
multiplies with the term's inverse document frequency, which it alone knows.
"""

import zlib
from collections import Counter

from app.compute.terms import terms
from core.vectors import SparseVector

K1 = 1.2
B = 0.75
# Measured on children of English text. It is fixed, because following the collection would mean to
# write the passages that are in the index again.
AVERAGE_TERMS = 42.0


def encode_passage(text: str) -> SparseVector:
    """Return a passage's saturated term frequencies; empty where it has no term."""
    counts = Counter(map(term_index, terms(text)))
    length = K1 * (1 - B + B * counts.total() / AVERAGE_TERMS)
    indices = sorted(counts)
    return SparseVector(
        indices=tuple(indices),
        values=tuple(counts[index] * (K1 + 1) / (counts[index] + length) for index in indices),
    )


def encode_query(text: str) -> SparseVector:
    """Return a question's terms, each with weight 1; empty where it has none."""
    indices = sorted(set(map(term_index, terms(text))))
    return SparseVector(indices=tuple(indices), values=(1.0,) * len(indices))


def term_index(term: str) -> int:
    """Return the term's number, 0 to 2**31 - 1, the same in every process and release.

    Two terms share a number once in 20,000 terms of a vocabulary of 100,000, which no ranking
    feels.
    """
    return zlib.crc32(term.encode()) & 0x7FFF_FFFF
