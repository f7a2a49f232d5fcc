"""The names that models call other servers' tools by."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.infra.mcp.tool_names import tool_names

PAIRS = st.lists(st.tuples(st.text(max_size=50), st.text(max_size=200)), unique=True)


def test_a_plain_name_is_the_server_and_the_tool() -> None:
    assert tool_names([("git", "log")], ()) == {("git", "log"): "git_log"}


def test_what_providers_do_not_take_is_replaced() -> None:
    assert tool_names([("brave search", "läuft.so")], ()) == {
        ("brave search", "läuft.so"): "brave_search_l_uft_so"
    }


def test_two_that_come_to_the_same_name_are_told_apart() -> None:
    pairs = [("a", "b_c"), ("a_b", "c")]
    names = tool_names(pairs, ())
    assert names[pairs[0]] == "a_b_c"
    assert re.fullmatch(r"a_b_c_[0-9a-f]{8}", names[pairs[1]])


@given(PAIRS, st.frozensets(st.text(max_size=8)))
def test_every_name_is_valid_and_no_two_are_the_same(
    pairs: list[tuple[str, str]], taken: frozenset[str]
) -> None:
    names = list(tool_names(pairs, taken).values())
    assert len(names) == len(pairs)
    assert len(set(names) | taken) == len(names) + len(taken)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
