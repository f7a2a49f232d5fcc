"""Makes one order of passages out of what the dense and the sparse search found."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from core.ids import PassageId
from core.ports.vector_store import VectorHit, VectorHits

# Between the best of two public sets (nDCG@10 of their documents, 100 chunks from each search):
# scientific claims .763 at .4, .782 at .5, .786 at .6; two-hop questions .866, .862, .846. Adding
# up ranks instead (k = 60) gave .770 and .837.
DENSE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage by its best chunk; see `core.documents.FoundPassage`."""

    passage_id: PassageId
    score: float
    focus_start: int
    focus_end: int


def rank(hits: VectorHits, dense_weight: float = DENSE_WEIGHT) -> list[RankedPassage]:
    """Return each passage once, the best first; ties by id, so that the order always repeats.

    Min-max score fusion: each search's scores are stretched to 0..1 over what it found, a chunk
    that one of them did not find has 0 there, and the two are added by their weights. A passage
    is worth what its best chunk is.
    """
    # By the id's number: a `UUID` is hashed in Python, which would be half of the time here.
    scores: dict[int, float] = defaultdict(float)
    for found, weight in ((hits.dense, dense_weight), (hits.sparse, 1 - dense_weight)):
        for hit, score in zip(found, _stretched(found), strict=True):
            scores[hit.point_id.int] += weight * score
    chunks = {hit.point_id.int: hit for hit in (*hits.dense, *hits.sparse)}
    ordered = sorted(chunks.items(), key=lambda chunk: _place(scores[chunk[0]], chunk[1]))
    best: dict[PassageId, RankedPassage] = {}
    for number, hit in ordered:
        if hit.passage_id not in best:
            best[hit.passage_id] = RankedPassage(hit.passage_id, scores[number], hit.start, hit.end)
    return list(best.values())


def _place(score: float, hit: VectorHit) -> tuple[float, PassageId, int]:
    return -score, hit.passage_id, hit.start


def _stretched(hits: Sequence[VectorHit]) -> list[float]:
    """Return the scores as 0..1 between the worst and the best; all 1 where they are the same."""
    if not hits:
        return []
    low = min(hit.score for hit in hits)
    width = max(hit.score for hit in hits) - low
    if width <= 0:
        return [1.0] * len(hits)
    return [(hit.score - low) / width for hit in hits]
