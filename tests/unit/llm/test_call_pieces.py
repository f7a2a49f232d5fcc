"""Calls come out whole, whatever a server leaves out or repeats."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infra.llm.call_pieces import CallPieces
from core.errors import ModelUnavailable
from core.ports.chat_model import WantedCall

Piece = tuple[int | None, str, str, str]


def gathered(*pieces: Piece) -> list[tuple[str, str, str]]:
    gatherer = CallPieces()
    for piece in pieces:
        gatherer.take(*piece)
    return [(call.id, call.name, call.arguments) for call in gatherer.calls()]


def test_pieces_of_parallel_calls_are_told_apart_by_their_index() -> None:
    assert gathered(
        (0, "a", "add", ""),
        (1, "b", "now", ""),
        (1, "", "", '{"zone": '),
        (0, "", "", '{"n": '),
        (1, "", "", '"UTC"}'),
        (0, "", "", "1}"),
    ) == [("a", "add", '{"n": 1}'), ("b", "now", '{"zone": "UTC"}')]


def test_calls_that_all_have_the_index_0_are_told_apart_by_their_ids() -> None:
    assert gathered((0, "a", "add", '{"n": 1}'), (0, "b", "add", '{"n": 1}')) == [
        ("a", "add", '{"n": 1}'),
        ("b", "add", '{"n": 1}'),
    ]


@pytest.mark.parametrize("index", [0, None])
def test_whole_calls_without_ids_are_told_apart(index: int | None) -> None:
    pieces = ((index, "", "add", '{"n": 1}'), (index, "", "add", '{"n": 2}'))
    assert [call[2] for call in gathered(*pieces)] == ['{"n": 1}', '{"n": 2}']


def test_pieces_without_an_index_belong_to_the_last_call() -> None:
    pieces = ((None, "a", "add", ""), (None, "", "", "{"), (None, "", "", "}"))
    assert gathered(*pieces, (None, "b", "now", ""), (None, "", "", "{}")) == [
        ("a", "add", "{}"),
        ("b", "now", "{}"),
    ]


def test_pieces_without_an_index_find_their_call_by_its_id() -> None:
    pieces = ((None, "a", "add", ""), (None, "b", "now", ""), (None, "a", "", "{}"))
    assert gathered(*pieces) == [("a", "add", "{}"), ("b", "now", "{}")]


def test_a_new_id_with_every_piece_is_one_call() -> None:
    assert gathered((0, "a", "add", ""), (0, "b", "", '{"n"'), (0, "c", "", ": 1}")) == [
        ("a", "add", '{"n": 1}')
    ]


def test_a_name_that_is_repeated_with_every_piece_is_one_call() -> None:
    assert gathered((0, "a", "add", '{"n"'), (0, "a", "add", ": {}"), (0, "a", "add", "}")) == [
        ("a", "add", '{"n": {}}')
    ]


def test_an_id_for_several_calls_is_made_different() -> None:
    ids = [call[0] for call in gathered((0, "a", "f", "{}"), (1, "a", "f", "{}"), (2, "", "f", ""))]
    assert len(set(ids)) == 3
    assert all(ids)


def test_a_call_without_arguments_has_none() -> None:
    assert gathered((0, "a", "now", "")) == [("a", "now", "{}")]


def test_arguments_that_are_no_json_are_handed_on() -> None:
    assert gathered((0, "a", "now", "{zone")) == [("a", "now", "{zone")]


def test_a_call_without_a_name_is_no_answer() -> None:
    with pytest.raises(ModelUnavailable):
        gathered((0, "a", "", "{}"))


def test_calls_without_end_are_no_answer() -> None:
    pieces = [(number, str(number), "f", "") for number in range(129)]
    assert len(gathered(*pieces[:128])) == 128
    with pytest.raises(ModelUnavailable):
        gathered(*pieces)


def test_arguments_without_end_are_no_answer() -> None:
    piece = "x" * (1 << 18)
    pieces: list[Piece] = [(0, "a", "f", ""), *[(0, "", "", piece)] * 4]
    assert len(gathered(*pieces)[0][2]) == 1 << 20
    with pytest.raises(ModelUnavailable):
        gathered(*pieces, (0, "", "", "x"))


OBJECTS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


@given(calls=st.lists(OBJECTS, max_size=5), size=st.integers(1, 9), ids=st.booleans())
def test_calls_do_not_depend_on_where_pieces_end(
    calls: list[dict[str, int | str]], size: int, ids: bool
) -> None:
    texts = [json.dumps(call) for call in calls]
    gatherer = CallPieces()
    for place, text in enumerate(texts):
        gatherer.take(place, f"id{place}" if ids else "", "f", "")
        for start in range(0, len(text), size):
            gatherer.take(place, "", "", text[start : start + size])
    found = gatherer.calls()
    assert [call.arguments for call in found] == texts
    assert all(isinstance(call, WantedCall) for call in found)
