"""Writes the bytes of a reply: OpenAI's chunks, in server-sent events, in HTTP chunks."""

import json
import time
from collections.abc import Iterator
from itertools import repeat

from scripts.scripted_model.script import Script

Json = dict[str, object]

_ID = "chatcmpl-scripted0000000000000"
_CREATED = 1_760_000_000
_STAMP_DIGITS = 18
_ZEROS = 2


class ChunkWriter:
    """Encodes the chunks of one model's replies; what never changes is encoded once."""

    def __init__(self, model: str) -> None:
        self._model = model
        whole = self.chunk({"content": "@"})
        self._before_text, self._after_text = whole.split(b'"@"')

    def chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        """Return one event with one choice."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._event({"choices": [choice], "usage": None})

    def text(self, text: str) -> bytes:
        """Return an event with one piece of text; `text` needs no escape in JSON."""
        return b'%b"%b"%b' % (self._before_text, text.encode(), self._after_text)

    def empty(self) -> bytes:
        """Return an event without choices."""
        return self._event({"choices": []})

    def usage(self, prompt_tokens: int, script: Script, count: int) -> bytes:
        """Return the event that says what the reply took."""
        return self._event({"choices": [], "usage": usage_of(prompt_tokens, script, count)})

    def _event(self, values: Json) -> bytes:
        common: Json = {
            "id": _ID,
            "object": "chat.completion.chunk",
            "created": _CREATED,
            "model": self._model,
            "system_fingerprint": "fp_scripted",
        }
        data = json.dumps({**common, **values}, separators=(",", ":"), ensure_ascii=False)
        return b"data: %b\n\n" % data.encode()


def usage_of(prompt_tokens: int, script: Script, count: int) -> Json:
    """Return OpenAI's usage object for a reply of `count` tokens."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": count + script.reasoning,
        "total_tokens": prompt_tokens + count + script.reasoning,
        "completion_tokens_details": {"reasoning_tokens": script.reasoning},
    }


def words(script: Script, request_number: int = 0) -> list[str]:
    """Return the tokens of a reply that carries no stamps."""
    if not script.say:
        voice = f"request{request_number}-" if script.voice else ""
        return [f"{voice}word{number} " for number in range(1, script.tokens + 1)]
    parts = script.say.split(" ")
    return [*(f"{part} " for part in parts[:-1]), parts[-1]]


def stamps(script: Script, arrived_ns: int) -> Iterator[str]:
    """Yield tokens that say when they are sent; each is made when it is asked for."""
    if script.stamp == _ZEROS:
        yield from repeat(f"@{0:0{_STAMP_DIGITS}d} ", script.tokens)
        return
    if script.tokens:
        yield f"#{arrived_ns:0{_STAMP_DIGITS}d}@{time.monotonic_ns():0{_STAMP_DIGITS}d} "
    for _ in range(script.tokens - 1):
        yield f"@{time.monotonic_ns():0{_STAMP_DIGITS}d} "


def http_chunk(data: bytes) -> bytes:
    """Return `data` as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
