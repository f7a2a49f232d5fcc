"""A streamed reply is the same wherever a read ends, and one read is one call of the sink."""

import json
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infra.llm.http_connection import HttpConnection, ResponseHead
from app.infra.llm.reply_reader import ReplyReader
from core.errors import AppError, ModelRefused, ModelUnavailable
from core.ports.chat_model import ModelReply, WantedCall
from core.runs import Usage
from tests.support.fake_transport import FakeTransport

DONE = b"data: [DONE]\n\n"

Said = tuple[str, str]
SAYINGS = st.lists(
    st.tuples(st.sampled_from(["content", "reasoning_content"]), st.text(min_size=1, max_size=8)),
    max_size=8,
)


class Notes:
    """A sink that writes down what it is given."""

    def __init__(self) -> None:
        self.pieces: list[Said] = []

    def text(self, delta: str) -> None:
        self.pieces.append(("content", delta))

    def reasoning(self, delta: str) -> None:
        self.pieces.append(("reasoning_content", delta))

    def runs(self) -> list[Said]:
        """Return the pieces with neighbours of one kind joined."""
        joined: list[Said] = []
        for kind, delta in self.pieces:
            if joined and joined[-1][0] == kind:
                joined[-1] = (kind, joined[-1][1] + delta)
            else:
                joined.append((kind, delta))
        return joined


class Reading:
    """A `Receiver` that feeds a reply reader."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.reader = ReplyReader(self.notes)
        self.is_over = False

    def head(self, head: ResponseHead) -> None:
        assert head.status == 200

    def body(self, data: bytes) -> None:
        self.reader.feed(data)

    def end(self) -> None:
        self.reader.end()
        self.is_over = True

    def lost(self, *, is_stale: bool) -> None:
        raise AssertionError("the connection did not break")


def event(delta: dict[str, object], **more: object) -> bytes:
    chunk = {"id": "x", "choices": [{"index": 0, "delta": delta, **more}], "usage": None}
    return b"data: %b\n\n" % json.dumps(chunk, ensure_ascii=False).encode()


def body_of(sayings: Iterable[Said]) -> bytes:
    opening = event({"role": "assistant", "content": ""})
    return opening + b"".join(event({kind: delta}) for kind, delta in sayings)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


def read(*reads: bytes) -> tuple[Notes, ReplyReader]:
    notes = Notes()
    reader = ReplyReader(notes)
    for data in reads:
        reader.feed(data)
    return notes, reader


@given(sayings=SAYINGS, cuts=st.lists(st.integers(0), max_size=12), chunk=st.integers(1, 300))
def test_a_reply_does_not_depend_on_where_reads_end(
    sayings: list[Said], cuts: list[int], chunk: int
) -> None:
    body = body_of(sayings) + event({}, finish_reason="stop") + DONE
    parts = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    free: list[HttpConnection] = []
    reading = Reading()
    connection = HttpConnection(free.append)
    connection.connection_made(FakeTransport())
    connection.send(b"GET / HTTP/1.1\r\n\r\n", reading)
    for data in pieces_of(response, cuts):
        connection.data_received(data)
    whole, _ = read(body)
    assert reading.notes.runs() == whole.runs()
    assert "".join(delta for _, delta in reading.notes.pieces) == "".join(
        delta for _, delta in sayings
    )
    assert reading.is_over
    assert free == [connection]


def test_what_one_read_brought_is_one_call() -> None:
    notes, _ = read(body_of([("content", "a"), ("content", "b"), ("content", "c")]))
    assert notes.pieces == [("content", "abc")]


def test_thoughts_and_text_of_one_read_keep_their_order() -> None:
    sayings = [("content", "a"), ("reasoning_content", "b"), ("content", "c")]
    notes, _ = read(body_of(sayings))
    assert notes.pieces == sayings


@pytest.mark.parametrize("word", ["reasoning_content", "reasoning"])
def test_both_words_for_reasoning_are_understood(word: str) -> None:
    notes, _ = read(event({word: "hm", "content": None}))
    assert notes.pieces == [("reasoning_content", "hm")]


def test_the_reply_holds_the_text_the_reason_and_the_counts() -> None:
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    counts = b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode()
    _, reader = read(body_of([("content", "yes")]), event({}, finish_reason="length"), counts, DONE)
    assert reader.finished
    assert reader.reply("openai", "m") == ModelReply(
        "yes", "length", Usage("openai", "m", input_tokens=3, output_tokens=9, reasoning_tokens=4)
    )


def test_what_follows_the_end_is_not_heard() -> None:
    notes, _ = read(body_of([("content", "a")]) + DONE + body_of([("content", "b")]))
    assert notes.pieces == [("content", "a")]


def test_an_end_without_a_reason_is_a_reply_broken_off() -> None:
    _, reader = read(body_of([("content", "a")]))
    with pytest.raises(ModelUnavailable):
        reader.end()


def test_a_reason_is_enough_of_an_end() -> None:
    _, reader = read(event({"content": "a"}, finish_reason="stop"))
    reader.end()
    assert reader.finished


def test_what_came_before_gibberish_is_heard() -> None:
    notes = Notes()
    reader = ReplyReader(notes)
    with pytest.raises(ModelUnavailable):
        reader.feed(body_of([("content", "a")]) + b"data: {\n\n")
    assert notes.pieces == [("content", "a")]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ('{"message": "sk-1", "code": 401}', ModelRefused),
        ('{"message": "sk-1", "code": "context_length_exceeded"}', ModelRefused),
        ('{"message": "sk-1", "code": 429}', ModelUnavailable),
        ('{"message": "sk-1", "type": "server_error"}', ModelUnavailable),
        ('"sk-1"', ModelUnavailable),
    ],
)
def test_an_error_in_the_stream_is_ours_without_its_words(error: str, kind: type[AppError]) -> None:
    with pytest.raises(kind) as caught:
        read(b'data: {"error": %b}\n\n' % error.encode())
    assert "sk-1" not in caught.value.message


def test_a_server_that_does_not_stream_is_understood() -> None:
    notes = Notes()
    reader = ReplyReader(notes)
    message = {"message": {"content": "all of it"}, "finish_reason": "stop"}
    reader.feed_whole(json.dumps({"choices": [message]}).encode())
    assert notes.pieces == [("content", "all of it")]
    assert reader.finished


def calls_event(*calls: dict[str, object]) -> bytes:
    return event({"content": None, "tool_calls": list(calls)})


def test_text_before_calls_is_heard_and_the_calls_are_in_the_reply() -> None:
    opening = {"index": 0, "id": "a", "function": {"name": "add", "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": '{"n": 1}'}}
    notes, reader = read(
        event({"content": "Let me see."}),
        calls_event(opening),
        calls_event(rest),
        event({}, finish_reason="tool_calls") + DONE,
    )
    assert notes.pieces == [("content", "Let me see.")]
    assert reader.reply("p", "m") == ModelReply(
        "Let me see.", "tool_calls", None, (WantedCall("a", "add", '{"n": 1}'),)
    )


def test_a_piece_of_a_call_is_a_beginning() -> None:
    notes, reader = read(event({"role": "assistant", "content": ""}))
    assert not reader.started
    reader.feed(calls_event({"index": 0, "id": "a", "function": {"name": "add"}}))
    assert reader.started
    assert notes.pieces == []


def test_a_call_from_a_server_that_does_not_stream_is_understood() -> None:
    reader = ReplyReader(Notes())
    call = {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    message = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    reader.feed_whole(json.dumps({"choices": [message]}).encode())
    assert reader.reply("p", "m").calls == (WantedCall("a", "add", "{}"),)


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        ({"name": "add", "arguments": {"n": [1, "ü"]}}, {"n": [1, "ü"]}),
        ({"name": "add", "arguments": '{"n": "\\u00fc"}'}, {"n": "ü"}),
        ({"name": "add", "arguments": None}, {}),
        ({"name": "add"}, {}),
    ],
)
def test_arguments_come_as_text_or_as_they_are(sent: object, arguments: object) -> None:
    _, reader = read(calls_event({"index": None, "id": 7, "function": sent}))
    [call] = reader.reply("p", "m").calls
    assert json.loads(call.arguments) == arguments
    assert call.id == "7"


@pytest.mark.parametrize(
    "calls",
    [
        b'[{"index": "first"}]',
        b'"add"',
        b'[{"function": {"name": "add", "arguments": "\xff"}}]',
        b'[{"function": {"name": "add", "arguments": {"a": "\xff"}}}]',
    ],
)
def test_calls_that_make_no_sense_are_no_answer(calls: bytes) -> None:
    with pytest.raises(ModelUnavailable):
        read(b'data: {"choices": [{"delta": {"tool_calls": %b}}]}\n\n' % calls)


def test_an_unknown_reason_is_handed_on() -> None:
    called = calls_event({"function": {"name": "f"}})
    _, reader = read(called, event({}, finish_reason="tool_use"))
    reader.end()
    assert reader.reply("p", "m").finish_reason == "tool_use"
