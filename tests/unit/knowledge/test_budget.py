"""How much of what was found fits a budget."""

from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.budget import estimated_tokens, within_budget
from core.documents import FoundPassage, Passage
from core.ids import DocumentId, PassageId

WORDS = st.text(alphabet="ab \né漢", min_size=1, max_size=600)


def test_passages_that_fit_are_kept_in_order() -> None:
    kept = [found("one " * 10), found("two " * 10)]

    assert within_budget(kept, 1000) == kept


def test_the_first_that_does_not_fit_is_cut_around_its_focus() -> None:
    text = "start " * 200 + "HERE IS THE ANSWER " + "end " * 300
    focus = text.index("HERE")

    (piece,) = within_budget([found(text, focus, focus + 18)], 100)

    assert "HERE IS THE ANSWER" in piece.passage.text
    assert estimated_tokens(piece.passage.text) <= 100
    assert piece.passage.text[piece.focus_start : piece.focus_end] == "HERE IS THE ANSWER"
    assert text[piece.passage.start : piece.passage.end] == piece.passage.text


def test_nothing_follows_the_one_that_was_cut() -> None:
    kept = within_budget([found("long " * 400), found("short")], 100)

    assert len(kept) == 1


def test_a_piece_too_small_to_be_of_use_is_left_out() -> None:
    first, second = found("a" * 400), found("b" * 4000)

    assert within_budget([first, second], 120) == [first]


def test_a_cut_ends_between_words() -> None:
    (piece,) = within_budget([found("wonderful " * 300, 1500, 1510)], 100)

    assert set(piece.passage.text.split()) == {"wonderful"}


def test_a_script_of_many_bytes_costs_more() -> None:
    assert estimated_tokens("漢字漢字") > estimated_tokens("abcd")


@given(st.lists(WORDS, max_size=5), st.integers(1, 400), st.data())
def test_the_budget_holds_and_every_piece_stands_in_its_text(
    texts: list[str], budget: int, data: st.DataObject
) -> None:
    given_passages = []
    for text in texts:
        start = data.draw(st.integers(0, len(text) - 1))
        given_passages.append(found(text, start, data.draw(st.integers(start + 1, len(text)))))

    kept = within_budget(given_passages, budget)

    # Characters of one text differ in bytes, so a piece may be over by as much.
    cost = sum(len(item.passage.text) for item in kept)
    assert cost <= budget * 4
    for item, whole in zip(kept, given_passages, strict=False):
        passage = item.passage
        assert whole.passage.text[passage.start : passage.end] == passage.text
        assert 0 <= item.focus_start <= item.focus_end <= len(passage.text)


def found(text: str, focus_start: int = 0, focus_end: int = 4) -> FoundPassage:
    passage = Passage(
        id=PassageId("passage"),
        document_id=DocumentId("document"),
        document_name="a.txt",
        collection="default",
        ordinal=0,
        page=None,
        start=0,
        end=len(text),
        text=text,
    )
    return FoundPassage(passage, 1.0, focus_start, min(focus_end, len(text)))
