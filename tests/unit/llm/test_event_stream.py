"""Server-sent events are the same wherever a read ends."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infra.llm.event_stream import EVENT_MAX_BYTES, EventStream, EventTooLong

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
NOISE = st.sampled_from([": a comment", "id: 7", "event: delta", "retry: 10", "data", "datax: 1"])
NEWLINE = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Draw a stream, in one way of ending lines, and the data of its events."""
    newline = draw(NEWLINE)
    events = draw(st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=5))
    lines: list[str] = []
    for event in events:
        lines += draw(st.lists(NOISE, max_size=2))
        lines += [f"data:{draw(st.sampled_from(['', ' ']))}{part}" for part in event]
        lines += [""] * draw(st.integers(1, 2))
    # A line of data may itself begin with a space: the first one is not part of it.
    expected = [_joined(lines_of) for lines_of in _events(lines)]
    return newline.join([*lines, ""]).encode(), expected


def _events(lines: list[str]) -> list[list[str]]:
    events: list[list[str]] = []
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            events.append(data)
            data = []
    return events


def _joined(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


@given(stream=streams(), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_events_do_not_depend_on_where_reads_end(
    stream: tuple[bytes, list[bytes]], cuts: list[int]
) -> None:
    data, expected = stream
    reader = EventStream()
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    seen = [event for start, end in pairwise(borders) for event in reader.feed(data[start:end])]
    assert seen == expected


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    reader = EventStream()
    assert reader.feed(b"data: one\r") == []
    assert reader.feed(b"\r") == [b"one"]
    assert reader.feed(b"data: two\n\n") == [b"two"]
    assert reader.feed(b"data: thr") == []
    assert reader.feed(b"ee\n\ndata: four\n\n") == [b"three", b"four"]


@pytest.mark.parametrize("piece", [b"x" * 65536, b"data: " + b"x" * 65536 + b"\n"])
def test_an_event_without_end_is_an_error(piece: bytes) -> None:
    reader = EventStream()
    for _ in range(EVENT_MAX_BYTES // len(piece) - 1):
        reader.feed(piece)
    with pytest.raises(EventTooLong):
        reader.feed(piece * 2)
