"""A prompt says how it wants to be answered."""

import json
from dataclasses import replace

import pytest

from scripts.scripted_model.asked import Asked, read_request
from scripts.scripted_model.chunks import ChunkWriter
from scripts.scripted_model.reply import Request, streamed
from scripts.scripted_model.script import Script, read_script

REQUEST = Request(arrived_ns=1, prompt_tokens=3, wants_usage=False)


def test_the_last_directive_counts_and_the_rest_has_defaults() -> None:
    script = read_script("Hi [[tokens=1]] there [[tokens=3 rate=2.5 fault=reset at=2]]", Script())
    assert script == Script(tokens=3, rate=2.5, fault="reset", at=2)


def test_a_prompt_without_a_directive_gets_the_default() -> None:
    assert read_script("see [1] and [[2]]", Script(tokens=7)) == Script(tokens=7)


def test_values_may_hold_anything_when_encoded() -> None:
    assert read_script("[[say=a%20%5Bb%5D]]", Script()).say == "a [b]"


@pytest.mark.parametrize("text", ["[[tokans=1]]", "[[tokens=many]]"])
def test_a_directive_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"tokans|many"):
        read_script(text, Script())


def test_the_last_user_message_is_read() -> None:
    roles = [("user", "one"), ("user", "two"), ("assistant", "three")]
    messages = [{"role": role, "content": content} for role, content in roles]
    assert read_request(json.dumps({"messages": messages}).encode()).message == "two"
    assert read_request(b'{"messages": []}') == Asked()


def test_tokens_that_belong_together_are_one_write() -> None:
    writes = list(streamed(Script(tokens=5, per_write=2), ChunkWriter("m"), REQUEST).writes)
    assert [write.count(b"word") for write in writes] == [2, 2, 1]


def test_a_split_reply_is_the_same_reply_in_pieces() -> None:
    script = Script(say="grüß dich", usage=1)
    in_pieces = replace(script, split=7)
    whole = streamed(script, ChunkWriter("m"), REQUEST)
    split = streamed(in_pieces, ChunkWriter("m"), REQUEST)
    pieces = list(split.writes)
    assert b"".join(pieces) == whole.opening + b"".join(whole.writes) + whole.closing
    assert {len(piece) for piece in pieces[:-1]} == {7}


def test_a_stamp_of_zeros_is_as_long_as_a_real_one() -> None:
    real, zeros = (
        list(streamed(Script(tokens=2, stamp=kind), ChunkWriter("m"), REQUEST).writes)[1]
        for kind in (1, 2)
    )
    assert len(real) == len(zeros)
    assert b"@" + b"0" * 18 in zeros
