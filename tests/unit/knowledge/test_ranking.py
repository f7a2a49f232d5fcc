"""How the dense and the lexical search are made one order."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.ranking import rank
from core.ids import DocumentId, PassageId
from core.ports.vector_store import VectorHit, VectorHits


def test_nothing_found_is_an_empty_order() -> None:
    assert rank(VectorHits((), ())) == []


def test_what_both_searches_find_comes_before_what_one_finds() -> None:
    both = hit("both", 0.8)
    hits = VectorHits(
        (hit("dense", 0.9), both, hit("last", 0.1)),
        (hit("sparse", 12.0), again(both, 11.0), hit("end", 1.0)),
    )

    assert rank(hits)[0].passage_id == "both"


def test_scores_run_from_nought_to_one() -> None:
    best, worst = hit("best", 0.9), hit("worst", 0.1)
    hits = VectorHits((best, worst), (again(best, 30.0), again(worst, 2.0)))

    assert [item.score for item in rank(hits)] == [1.0, 0.0]


def test_a_passage_is_worth_what_its_best_chunk_is_and_appears_once() -> None:
    weak = hit("p", 0.5, start=0, end=10)
    strong = hit("p", 0.9, start=10, end=20)
    hits = VectorHits((strong, hit("q", 0.7), weak), ())

    ranked = rank(hits)

    assert [item.passage_id for item in ranked] == ["p", "q"]
    assert (ranked[0].focus_start, ranked[0].focus_end) == (10, 20)


def test_the_weight_decides_between_the_two_searches() -> None:
    hits = VectorHits((hit("near", 0.9), hit("x", 0.1)), (hit("wordy", 9.0), hit("y", 1.0)))

    assert rank(hits, dense_weight=0.7)[0].passage_id == "near"
    assert rank(hits, dense_weight=0.3)[0].passage_id == "wordy"


def test_a_single_hit_has_the_whole_weight_of_its_search() -> None:
    assert rank(VectorHits((hit("p", 0.2),), ()), dense_weight=0.6)[0].score == pytest.approx(0.6)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([0.1, 0.5, 0.9])), max_size=12))
def test_the_order_does_not_depend_on_how_ties_came_in(found: list[tuple[str, float]]) -> None:
    hits = [hit(name, score, start=place) for place, (name, score) in enumerate(found)]
    backwards = [*hits]
    backwards.reverse()

    assert rank(VectorHits(falling(hits), ())) == rank(VectorHits(falling(backwards), ()))


def falling(hits: list[VectorHit]) -> tuple[VectorHit, ...]:
    return tuple(sorted(hits, key=lambda item: -item.score))


def hit(
    passage: str, score: float, *, start: int = 0, end: int = 10, id: UUID | None = None
) -> VectorHit:
    return VectorHit(id or uuid4(), DocumentId("document"), PassageId(passage), start, end, score)


def again(found: VectorHit, score: float) -> VectorHit:
    return hit(found.passage_id, score, start=found.start, end=found.end, id=found.point_id)
