"""Turns a script into what is written, write by write; holds no I/O."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from scripts.scripted_model.calls import Call, call_chunks, whole_calls
from scripts.scripted_model.chunks import ChunkWriter, Json, http_chunk, stamps, usage_of, words
from scripts.scripted_model.script import Script

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\n"
)
_DONE = b"data: [DONE]\n\n"
_MALFORMED = b'data: {"choices": [{"delta": \n\n'
_BROKEN = b'data: {"error": {"message": "secret-vendor-text", "type": "server_error"}}\n\n'


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with.

    opening: written when the delay is over.
    writes: one token or several each; lazy, because a token's stamp is the time of its write.
    closing: written right after the last of them.
    ends: `keep` the connection, `close` it, `reset` it, or `hang`: never end.
    interval: seconds between writes; 0: as fast as they are taken.
    """

    opening: bytes
    writes: Iterator[bytes]
    closing: bytes
    ends: str
    delay: float
    interval: float


@dataclass(frozen=True, slots=True)
class Request:
    """What the answer depends on besides the script.

    number: from 1, in the order of arrival.
    calls: the tools that are called after the text.
    """

    arrived_ns: int
    prompt_tokens: int
    wants_usage: bool
    number: int = 0
    calls: tuple[Call, ...] = ()


def streamed(script: Script, writer: ChunkWriter, request: Request) -> Reply:
    """Return a reply that streams."""
    frame = http_chunk if script.framing == "chunked" else bytes
    opening = _head(script) + b"".join(frame(event) for event in _opening(script, writer))
    tokens: Iterator[bytes] = (frame(event) for event in _tokens(script, writer, request))
    closing, ends = _closing(script, writer, request)
    if script.fault and script.at < 0:
        opening, tokens = b"", iter(())
    interval = 1 / script.rate if script.rate else 0.0
    writes = _grouped(tokens, script.per_write)
    if script.split:
        writes = _split(opening + b"".join(writes) + closing, script.split)
        opening = closing = b""
    delay = max(script.delay, (script.begin - request.arrived_ns) / 1e9)
    return Reply(opening, writes, closing, ends, delay, interval)


def whole(script: Script, model: str, request: Request) -> Reply:
    """Return a reply that is one JSON object."""
    text = "".join(words(script, request.number))
    message: Json = {"role": "assistant", "content": text, "refusal": None}
    reason = "stop"
    if request.calls:
        reason = "tool_calls"
        message |= {
            "content": text or None,
            "tool_calls": whole_calls(request.calls, request.number),
        }
    body: Json = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": usage_of(request.prompt_tokens, script, _count(script, request)),
    }
    return plain(200, body, delay=script.delay)


def refused(script: Script) -> Reply:
    """Return an error as OpenAI words it, with text that must go no further."""
    error = {
        "message": "secret-vendor-text for key sk-secret",
        "type": "scripted_error",
        "param": None,
        "code": script.code or None,
    }
    head = f"retry-after: {script.retry_after}\r\n" if script.retry_after else ""
    return plain(script.status, {"error": error}, head=head, delay=script.delay)


def takes_no_tools(model: str) -> Reply:
    """Return the error of a server whose model can't use tools, in Ollama's words."""
    message = f"registry.ollama.ai/library/{model} does not support tools"
    error = {"message": message, "type": "api_error", "param": None, "code": None}
    return plain(400, {"error": error})


def plain(status: int, body: object, *, head: str = "", delay: float = 0.0) -> Reply:
    """Return a JSON body with its length."""
    data = json.dumps(body, ensure_ascii=False).encode()
    lines = (
        f"HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n{head}\r\n"
    )
    return Reply(lines.encode() + data, iter(()), b"", "keep", delay, 0.0)


def _head(script: Script) -> bytes:
    if script.framing == "chunked":
        return _HEAD + b"transfer-encoding: chunked\r\n\r\n"
    return _HEAD + b"connection: close\r\n\r\n"


def _opening(script: Script, writer: ChunkWriter) -> Iterator[bytes]:
    yield writer.chunk({"role": "assistant", "content": "", "refusal": None})
    for _ in range(script.empty):
        yield writer.empty()
    for number in range(script.reasoning):
        yield writer.chunk({"reasoning_content": f"thought{number + 1} "})


def _tokens(script: Script, writer: ChunkWriter, request: Request) -> Iterator[bytes]:
    events: Iterator[bytes]
    if script.stamp:
        events = (writer.text(stamp) for stamp in stamps(script, request.arrived_ns))
    else:
        events = (writer.chunk({"content": word}) for word in words(script, request.number))
    if request.calls:
        chunks = call_chunks(request.calls, script.form, request.number)
        events = chain(events, (writer.chunk({"tool_calls": calls}) for calls in chunks))
    return islice(events, max(script.at, 0)) if script.fault else events


def _closing(script: Script, writer: ChunkWriter, request: Request) -> tuple[bytes, str]:
    chunked = script.framing == "chunked"
    frame = http_chunk if chunked else bytes
    end = b"0\r\n\r\n" if chunked else b""
    ends = "keep" if chunked else "close"
    match script.fault:
        case "hang" | "reset":
            return b"", script.fault
        case "truncate":
            return end, ends
        case "malformed":
            return frame(_MALFORMED) + end, ends
        case "error":
            return frame(_BROKEN) + end, ends
        case _:
            events = _final_events(script, writer, request)
            return b"".join(frame(event) for event in events) + end, ends


def _final_events(script: Script, writer: ChunkWriter, request: Request) -> Iterator[bytes]:
    yield writer.chunk({}, "tool_calls" if request.calls else "stop")
    if script.usage > 0 or (request.wants_usage and script.usage == 0):
        yield writer.usage(request.prompt_tokens, script, _count(script, request))
    if script.done:
        yield _DONE


def _count(script: Script, request: Request) -> int:
    return (script.tokens if script.stamp else len(words(script))) + len(request.calls)


def _grouped(events: Iterator[bytes], size: int) -> Iterator[bytes]:
    while group := b"".join(islice(events, size)):
        yield group


def _split(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
