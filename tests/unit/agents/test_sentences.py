import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents.sentences import SENTENCE_LIMIT, Span, split_sentences

TEXTS = st.text(
    alphabet=st.sampled_from("aB1 .!?…。！？」\n\t-*|#)]\"'’กาค中文é٣؟") | st.characters(),
    max_size=400,
)


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith met J. Doe. They spoke.", ["Dr. Smith met J. Doe.", "They spoke."]),
        ("It cost 3.14 euros. Fine.", ["It cost 3.14 euros.", "Fine."]),
        ("See Fig. 3 and No. 5. The answer is no. Go on.",
         ["See Fig. 3 and No. 5.", "The answer is no.", "Go on."]),
        ("Use tools, e.g. a saw. Then stop.", ["Use tools, e.g. a saw.", "Then stop."]),
        ("The U.S. Senate met. It voted.", ["The U.S. Senate met.", "It voted."]),
        ('He said "no." She left.', ['He said "no."', "She left."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("他来了。她走了！真的？「好。」完", ["他来了。", "她走了！", "真的？", "「好。」", "完"]),
        ("كيف حالك؟ أنا بخير.", ["كيف حالك؟", "أنا بخير."]),
        ("यह ठीक है। वह गया।", ["यह ठीक है।", "वह गया।"]),
        ("Title\n\nBody text\nwraps here.", ["Title", "Body text\nwraps here."]),
        ("- one\n- two\n1. three\n2. four", ["- one", "- two", "1. three", "2. four"]),
        ("  padded.  \n", ["padded."]),
        ("***\n\n---", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_thai_is_cut_at_spaces_once_a_clause_is_long_enough() -> None:
    clause = "ประเทศไทยมีกรุงเทพมหานครเป็นเมืองหลวงและเป็นเมืองที่ใหญ่ที่สุด"
    assert sentences(f"{clause} {clause}") == [clause, clause]
    assert sentences("สวัสดี ครับ") == ["สวัสดี ครับ"]


def test_what_runs_on_is_cut_at_a_space() -> None:
    text = "word " * 500
    pieces = sentences(text)
    assert max(map(len, pieces)) <= SENTENCE_LIMIT
    assert " ".join(pieces) == text.strip()


@given(TEXTS)
def test_every_letter_is_in_exactly_one_sentence(text: str) -> None:
    spans = split_sentences(text)
    inside = [i for span in spans for i in range(span.start, span.end)]
    assert inside == sorted(set(inside))
    left_out = set(range(len(text))) - set(inside)
    assert not any(text[i].isalnum() for i in left_out)


@given(TEXTS)
def test_a_sentence_is_trimmed_and_never_empty(text: str) -> None:
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        assert 0 < len(sentence) <= SENTENCE_LIMIT


@pytest.mark.parametrize(
    "unit", [".", "!", "\n", " ", ". ", ".)", "a", "a.", "\n ", "。", "ก ", "- "]
)
def test_a_hostile_text_is_cut_like_any_other(unit: str) -> None:
    text = unit * (5_000 // len(unit))
    pieces = sentences(text)
    assert all(len(piece) <= SENTENCE_LIMIT for piece in pieces)
    assert bool(pieces) == any(map(str.isalnum, text))


def test_spans_know_what_they_share() -> None:
    assert Span(0, 5).overlaps(Span(4, 9))
    assert not Span(0, 5).overlaps(Span(5, 9))
