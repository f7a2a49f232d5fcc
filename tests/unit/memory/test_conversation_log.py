"""The log of one conversation, against a model of it that keeps everything."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation_log import ConversationLog
from core.ids import RunId
from core.ports.event_log import Cursor

LARGE = 1_000_000


def read_all(log: ConversationLog, cursor: Cursor, limit_bytes: int) -> list[tuple[int, str, str]]:
    """Return (sequence, run, event) of all that follows, as a reader gets it."""
    told = []
    while (batch := log.read(cursor, limit_bytes)) is not None:
        assert batch.events
        numbered = enumerate(batch.events, batch.sequence)
        told += [(sequence, str(batch.run_id), event) for sequence, event in numbered]
        cursor = Cursor(batch.epoch, batch.sequence + len(batch.events) - 1)
    return told


@given(
    runs=st.lists(st.lists(st.lists(st.text(min_size=1), min_size=1, max_size=4), max_size=5)),
    limit_bytes=st.integers(1, 50),
    base=st.integers(0, 3),
)
def test_a_reader_gets_every_event_once_and_in_order(
    runs: list[list[list[str]]], limit_bytes: int, base: int
) -> None:
    log = ConversationLog("e", base, 3)
    start = Cursor("e", log.bounds().head)
    said = []
    for number, appends in enumerate(runs):
        for events in appends:
            head = log.append(RunId(str(number)), events)
            said += [(str(number), event) for event in events]
            assert head == start.sequence + len(said)

    told = read_all(log, start, limit_bytes)

    assert [(run, event) for _, run, event in told] == said
    assert all(later == sooner + 1 for (sooner, *_), (later, *_) in pairwise(told))


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20), limit=st.integers(100, 900))
def test_trimming_keeps_the_last_run_and_refuses_what_is_gone(sizes: list[int], limit: int) -> None:
    log = ConversationLog("e", 0, 0)
    starts = []
    for number, size in enumerate(sizes):
        starts.append(log.bounds().head)
        log.append(RunId(str(number)), ["x" * size])
        log.settle(2 * (number + 1), limit)

    bounds = log.bounds()

    assert bounds.base <= starts[-1]
    assert bounds.base_messages == 2 * bounds.base
    assert log.size_bytes <= limit or bounds.base == starts[-1]
    assert [event for *_, event in read_all(log, Cursor("e", bounds.base), LARGE)] == [
        "x" * size for size in sizes[bounds.base :]
    ]
    if bounds.base:
        with pytest.raises(LookupError):
            log.read(Cursor("e", bounds.base - 1), LARGE)


@pytest.mark.parametrize("cursor", [Cursor("other", 0), Cursor("e", 3), Cursor("e", -1)])
def test_a_cursor_that_proves_nothing_is_refused(cursor: Cursor) -> None:
    log = ConversationLog("e", 0, 0)
    log.append(RunId("r"), ["a", "b"])

    with pytest.raises(LookupError):
        log.read(cursor, LARGE)


def test_a_log_goes_on_after_its_base() -> None:
    log = ConversationLog("e", 7, 4)

    assert (log.bounds().base, log.bounds().head, log.bounds().base_messages) == (7, 7, 4)
    assert log.append(RunId("r"), ["a"]) == 8


def test_a_log_that_begins_anew_wakes_its_readers_and_keeps_them() -> None:
    log = ConversationLog("e", 0, 0)
    log.append(RunId("r"), ["a"])
    woken: list[str] = []
    log.watch(lambda: woken.append("once"))

    log.restart("f", 3, 2)

    assert woken == ["once"]
    with pytest.raises(LookupError):
        log.read(Cursor("e", 1), LARGE)
    assert log.append(RunId("s"), ["b"]) == 4
    assert woken == ["once", "once"]
    assert read_all(log, Cursor("f", 3), LARGE) == [(4, "s", "b")]


def test_trimming_never_goes_beyond_the_head() -> None:
    log = ConversationLog("e", 2, 1)
    log.append(RunId("r"), ["a"])

    log.trim(9, 4)
    log.trim(1, 0)

    assert (log.bounds().base, log.bounds().base_messages) == (2, 1)


def test_bytes_after_counts_what_a_reader_has_not_taken() -> None:
    log = ConversationLog("e", 0, 0)
    log.append(RunId("r"), ["aa", "bbb"])
    log.append(RunId("r"), ["c"])

    assert [log.bytes_after(sequence) for sequence in (0, 1, 2, 3, 4)] == [6, 4, 1, 0, 0]


def test_a_reader_that_leaves_while_it_is_woken_does_not_hide_the_next() -> None:
    log = ConversationLog("e", 0, 0)
    woken: list[str] = []
    first = log.watch(lambda: first.close())
    log.watch(lambda: woken.append("second"))

    log.append(RunId("r"), ["a"])
    log.append(RunId("r"), ["b"])

    assert woken == ["second", "second"]


def test_a_batch_says_whether_it_ends_at_the_head() -> None:
    log = ConversationLog("e", 0, 0)
    log.append(RunId("r"), ["aaaa", "bbbb", "cccc"])

    first = log.read(Cursor("e", 0), limit_bytes=9)
    rest = log.read(Cursor("e", 2), limit_bytes=8)

    assert first is not None
    assert (first.sequence, len(first.events), first.is_last) == (1, 2, False)
    assert rest is not None
    assert (rest.sequence, len(rest.events), rest.is_last) == (3, 1, True)
