"""Terms and their weights are what a lexical search needs."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compute.bm25 import K1, encode_passage, encode_query, term_index
from app.compute.terms import terms
from core.vectors import SparseVector


def matched(query: str, passage: str) -> int:
    return len(set(encode_query(query).indices) & set(encode_passage(passage).indices))


def test_words_are_compared_without_case_accents_or_punctuation() -> None:
    assert list(terms("Café-Zürich, (CAFÉ) 'Zurich'!")) == ["cafe", "zurich", "cafe", "zurich"]


def test_the_words_of_every_sentence_are_left_out() -> None:
    assert list(terms("What is the capital of France?")) == ["capital", "franc"]


@pytest.mark.parametrize(
    "words",
    [
        ("refund", "refunds", "refunded", "refunding"),
        ("activate", "activated", "activating", "activation"),
        ("stop", "stopped", "stopping", "stops"),
        ("policy", "policies"),
        ("house", "houses"),
        ("class", "classes"),
    ],
)
def test_forms_of_an_english_word_are_one_term(words: tuple[str, ...]) -> None:
    assert len({term for word in words for term in terms(word)}) == 1


@pytest.mark.parametrize("word", ["bus", "this", "sing", "bed", "ies", "es", "ion", "café"])
def test_short_words_are_left_as_they_are(word: str) -> None:
    assert len(list(terms(f"{word} x"))) in {1, 2}


def test_numbers_and_names_of_parts_stay_whole() -> None:
    assert list(terms("E1042 costs 15 EUR")) == ["e1042", "cost", "15", "eur"]


def test_chinese_is_found_by_its_pairs() -> None:
    assert list(terms("机器学习")) == ["机器", "器学", "学习"]
    assert matched("学习", "机器学习是人工智能的一个分支") == 1
    assert matched("天气", "机器学习是人工智能的一个分支") == 0


def test_thai_words_are_found_inside_of_a_phrase() -> None:
    assert matched("ประชากร", "ประเทศไทยมีประชากรประมาณเจ็ดสิบล้านคน") > 5
    assert matched("น้ำ", "ดื่มน้ำสะอาด") > 0


def test_hindi_and_arabic_words_keep_their_vowel_signs() -> None:
    assert list(terms("हिन्दी भाषा")) == ["हिन्दी", "भाषा"]
    assert len(list(terms("كِتَاب"))) == 1


def test_scripts_next_to_each_other_are_told_apart() -> None:
    assert list(terms("用Python学习2024年")) == ["用", "python", "学习", "2024", "年"]


def test_a_term_weighs_more_each_time_but_never_more_than_its_limit() -> None:
    weights = [max(encode_passage("refund " * count).values) for count in (1, 2, 4, 1000)]
    assert weights == sorted(weights)
    assert weights[-1] < K1 + 1


def test_a_term_weighs_less_in_a_longer_passage() -> None:
    index = term_index("refund")
    short, long = encode_passage("refund"), encode_passage("refund " + "other words here " * 50)
    weight = long.values[long.indices.index(index)]
    assert weight < short.values[short.indices.index(index)]


def test_every_term_of_a_question_weighs_the_same() -> None:
    assert encode_query("refund refund policy").values == (1.0, 1.0)


def test_a_text_without_terms_is_an_empty_vector() -> None:
    assert encode_query("the of ?!") == SparseVector((), ())
    assert encode_passage("") == SparseVector((), ())


def test_a_term_has_the_same_number_in_another_process() -> None:
    code = (
        "from app.compute.bm25 import term_index; print(term_index('学习'), term_index('refund'))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.split() == [str(term_index("学习")), str(term_index("refund"))]


@settings(deadline=None)
@given(st.text())
def test_vectors_of_any_text_are_well_formed(text: str) -> None:
    for vector in (encode_passage(text), encode_query(text)):
        assert list(vector.indices) == sorted(set(vector.indices))
        assert all(0 <= index < 2**31 for index in vector.indices)
        assert all(value > 0 for value in vector.values)
        assert len(vector.indices) == len(vector.values)
    assert encode_query(text).indices == encode_passage(text).indices
