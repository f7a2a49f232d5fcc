"""Bytes become the text that their writer meant."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compute.readers.plain_text import cleaned, decode_text
from core.errors import UnreadableDocument

TEXT = "Grüße, 世界! “Quoted” €5\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str) -> None:
    assert decode_text(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_recognised_by_its_zeros(encoding: str) -> None:
    assert decode_text("Plain words.".encode(encoding)) == "Plain words."


def test_western_european_bytes_are_read() -> None:
    assert decode_text("Übergröße €5 “so”".encode("cp1252")) == "Übergröße €5 “so”"
    # 0x81 means nothing in Windows' set, and must not lose the rest.
    assert decode_text(b"caf\xe9 \x81 x") == "caf\xe9 \x81 x"


def test_a_declared_encoding_is_used_where_the_bytes_fit_it() -> None:
    assert decode_text("日本語のページ".encode("shift-jis"), "shift_jis") == "日本語のページ"
    assert decode_text("größe".encode("cp1252"), "utf-16") == "größe"
    assert decode_text("größe".encode("cp1252"), "no-such-encoding") == "größe"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreadableDocument, match="not text"):
        decode_text(random.Random(1).randbytes(2000))


def test_control_characters_are_dropped_and_line_ends_are_one_kind() -> None:
    assert cleaned("a\0b\x1b[31m\r\nc\rd\x0ce\u2028f\ufeff") == "ab[31m\nc\nd\ne\nf"


def test_letters_and_accents_are_composed() -> None:
    assert cleaned("e\u0301") == "\u00e9"


@given(st.text(alphabet=st.characters(codec=None)))
def test_cleaned_text_can_be_stored_and_sent(text: str) -> None:
    result = cleaned(text)
    result.encode()
    assert "\0" not in result
    assert "\r" not in result
    assert cleaned(result) == result
