"""What tools give back, as parts of bounded size and as text."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.tools.outputs import IMAGE_BYTES, PARTS, output_of
from app.tools.result import Result, decoded, encoded
from core.tools import FilePart, ImagePart, JsonPart, Outcome, OutputPart, TextPart

FILE = FilePart("a.pdf", "application/pdf", "/files/a.pdf")
IMAGE = ImagePart("image/png", b"1234")


class Point(BaseModel):
    """A place."""

    x: int
    y: float


@pytest.mark.parametrize(
    ("value", "text", "parts"),
    [
        ("hello", "hello", (TextPart("hello"),)),
        ("", "[The tool gave nothing back.]", (TextPart(""),)),
        (None, "[The tool gave nothing back.]", ()),
        (["ä", 1, None], '["ä", 1, null]', (JsonPart(["ä", 1, None]),)),
        ([], "[]", (JsonPart([]),)),
        (False, "false", (JsonPart(False),)),
        (Point(x=1, y=2.5), '{"x": 1, "y": 2.5}', (JsonPart({"x": 1, "y": 2.5}),)),
        ({"n": math.nan}, '{"n": null}', (JsonPart({"n": None}),)),
        (FILE, "[A file: a.pdf (application/pdf), /files/a.pdf]", (FILE,)),
        (
            [TextPart("see"), IMAGE],
            "see\n[A picture: image/png, 4 bytes.]",
            (TextPart("see"), IMAGE),
        ),
        ("a\0b\ud800", "a\ufffdb\ufffd", (TextPart("a\ufffdb\ufffd"),)),
    ],
)
def test_any_output_is_text_and_parts(
    value: object, text: str, parts: tuple[OutputPart, ...]
) -> None:
    output = output_of(value, 1000)
    assert (output.text, output.parts) == (text, parts)


def test_text_over_the_limit_is_cut_and_says_how_much_is_missing() -> None:
    output = output_of("a" * 12_345, 1_000)
    assert output.text == "a" * 1_000 + "\n[Cut here: this is 1,000 of 12,345 characters.]"
    assert output.parts == (TextPart(output.text),)


def test_json_over_the_limit_is_cut_as_text() -> None:
    output = output_of({"rows": list(range(1000))}, 20)
    assert output.text.startswith('{"rows": [0, 1, 2, 3')
    assert "of 4,900 characters" in output.text
    assert output.parts == (TextPart(output.text),)


def test_the_limit_is_for_all_parts_together() -> None:
    output = output_of([TextPart("a" * 8), TextPart("b" * 8)], 10)
    assert output.text == "aaaaaaaa\nbb\n[Cut here: this is 2 of 8 characters.]"


def test_a_picture_that_is_too_large_is_left_out_and_says_so() -> None:
    large = ImagePart("image/png", b"x" * IMAGE_BYTES)
    output = output_of([large, IMAGE], 1000)
    assert output.parts[0] == large
    assert output.text.endswith("[A picture (image/png, 4 bytes) is left out: it is too large.]")


def test_parts_beyond_the_limit_are_left_out_and_counted() -> None:
    output = output_of([TextPart("a")] * (PARTS + 1), 1000)
    assert len(output.parts) == PARTS + 1
    assert output.text.endswith(f"[Cut here: these are {PARTS} of {PARTS + 1} parts.]")


def circular() -> object:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value_of", [circular, lambda: {"a": "\ud800"}, object])
def test_what_is_no_json_is_no_failure_of_a_call_that_was_made(
    value_of: Callable[[], object],
) -> None:
    assert output_of(value_of(), 1000).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5
)
PART = st.one_of(
    st.builds(TextPart, st.text()),
    st.builds(JsonPart, JSON),
    st.builds(ImagePart, st.text(), st.binary()),
    st.builds(FilePart, st.text(), st.text(), st.text()),
)


@given(st.sampled_from(Outcome), st.text(), st.lists(PART, max_size=4))
def test_a_result_on_record_comes_back_as_it_was(
    outcome: Outcome, text: str, parts: list[OutputPart]
) -> None:
    result = Result(outcome, text, tuple(parts))
    kept = encoded(result)
    assert kept.isascii()
    assert decoded(kept) == result
