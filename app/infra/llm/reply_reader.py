"""Reads what a server that speaks the OpenAI protocol says, and hands it to a sink; no I/O."""

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder
from msgspec.json import decode as decode_json

from app.infra.llm.call_pieces import CallPieces
from app.infra.llm.event_stream import EventStream, EventTooLong
from app.infra.llm.provider_faults import broken_off, error_in_stream, not_the_protocol
from core.ports.chat_model import ModelReply, ReplySink
from core.runs import Usage

# The structs name only what is read: msgspec passes over the rest without making objects of it,
# which is most of a chunk (0.4 µs for a typical one, against 77 for openai's own models).


class _Details(Struct, gc=False):
    reasoning_tokens: int | None = None


class _TokenCounts(Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _Details | None = None


class _Function(Struct, gc=False):
    """`arguments`: text that is to hold a JSON object; some send the object itself."""

    name: str | None = None
    arguments: Raw = Raw(b"")


class _CallDelta(Struct, gc=False):
    index: int | None = None
    id: str | int | None = None
    function: _Function | None = None


class _Delta(Struct, gc=False):
    """`reasoning_content` is DeepSeek's and vLLM's word, `reasoning` OpenRouter's and Ollama's."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_CallDelta] | None = None


class _Choice(Struct, gc=False):
    """`message` stands in the place of `delta` where the server does not stream."""

    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _TokenCounts | None = None
    error: Raw = Raw(b"")


_decode = Decoder(_Chunk).decode


class ReplyReader:
    """Reads one reply, from its first byte to its last.

    started: a piece of text, of reasoning or of a tool call has come.
    finished: nothing more is to be read; the rest of the body is of no interest.
    """

    def __init__(self, sink: ReplySink) -> None:
        self.started = False
        self.finished = False
        self._sink = sink
        self._events = EventStream()
        self._said: list[str] = []
        self._text = ""
        self._reasoning = ""
        self._calls: CallPieces | None = None
        self._finish_reason: str | None = None
        self._counts: _TokenCounts | None = None

    def feed(self, data: bytes) -> None:
        """Take what one read brought: at most one call of the sink, if it is all of one kind.

        Raises `ModelUnavailable` or `ModelRefused` where the server says so or talks gibberish;
        what came before that in the same read has then been handed on.
        """
        try:
            for event in self._events.feed(data):
                if event == b"[DONE]":
                    self.finished = True
                    break
                self._take(_decode(event))
        except (EventTooLong, DecodeError, ValidationError, UnicodeDecodeError):
            raise not_the_protocol() from None
        finally:
            self._flush()

    def feed_whole(self, data: bytes) -> None:
        """Take the whole body of a server that does not stream; raises as `feed` does."""
        try:
            self._take(_decode(data))
        except (DecodeError, ValidationError, UnicodeDecodeError):
            raise not_the_protocol() from None
        self._flush()
        self.finished = True

    def end(self) -> None:
        """Say that the body is over. Raises `ModelUnavailable` where the reply is not."""
        if not self.finished and self._finish_reason is None:
            raise broken_off()
        self.finished = True

    def reply(self, provider: str, model: str) -> ModelReply:
        """Return the reply, whole. Raises `ModelUnavailable` where a call has no name."""
        calls = self._calls.calls() if self._calls is not None else ()
        usage = self._usage(provider, model)
        return ModelReply("".join(self._said), self._finish_reason, usage, calls)

    def _take(self, chunk: _Chunk) -> None:
        if chunk.error and bytes(chunk.error) != b"null":
            raise error_in_stream(bytes(chunk.error))
        if chunk.usage is not None:
            self._counts = chunk.usage
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        if choice.finish_reason is not None:
            self._finish_reason = choice.finish_reason
        delta = choice.delta or choice.message
        if delta is not None:
            self._take_delta(delta)

    def _take_delta(self, delta: _Delta) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            if self._text:
                self._flush()
            self._reasoning += thought
        if delta.content:
            if self._reasoning:
                self._flush()
            self._text += delta.content
        if delta.tool_calls:
            self._take_calls(delta.tool_calls)

    def _take_calls(self, deltas: list[_CallDelta]) -> None:
        self.started = True
        if self._calls is None:
            self._calls = CallPieces()
        for delta in deltas:
            function = delta.function or _Function()
            arguments = _text_of(bytes(function.arguments))
            id_ = "" if delta.id is None else str(delta.id)
            self._calls.take(delta.index, id_, function.name or "", arguments)

    def _flush(self) -> None:
        """Hand on what is gathered; only one kind is gathered at a time, so that order is kept."""
        if self._text:
            text, self._text = self._text, ""
            self.started = True
            self._said.append(text)
            self._sink.text(text)
        if self._reasoning:
            reasoning, self._reasoning = self._reasoning, ""
            self.started = True
            self._sink.reasoning(reasoning)

    def _usage(self, provider: str, model: str) -> Usage | None:
        counts = self._counts
        if counts is None:
            return None
        details = counts.completion_tokens_details
        return Usage(
            provider=provider,
            model=model,
            input_tokens=counts.prompt_tokens,
            output_tokens=counts.completion_tokens,
            reasoning_tokens=details.reasoning_tokens if details else None,
        )


def _text_of(arguments: bytes) -> str:
    """Return a call's arguments as text. Raises `DecodeError` or `UnicodeDecodeError`."""
    if arguments.startswith(b'"'):
        return decode_json(arguments, type=str)
    return "" if arguments == b"null" else arguments.decode()
