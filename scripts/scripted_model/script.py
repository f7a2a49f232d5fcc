"""Says how the stand-in answers one request.

A script is a directive in double square brackets in the last user message, because that is the
one thing that every client, framework and relay hands on unchanged:

    What is the price? [[tokens=40 rate=30 fault=reset at=20]]
    What is 2 + 2? [[call=calculate args=%7B%22expression%22:%222+2%22%7D say=Four.]]

Its words are `key=value`, values percent-encoded where they hold a space or a bracket. The keys
are the fields of `Script`, with the defaults they have there. How a script goes on after its tools
have answered is said in `calls`.
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Literal
from urllib.parse import unquote

Fault = Literal["", "hang", "reset", "truncate", "malformed", "error"]

_DIRECTIVE = re.compile(r"\[\[([^\[\]]*=[^\[\]]*)\]\]")


@dataclass(frozen=True, slots=True)
class Script:
    """How one request is answered.

    tokens: how many pieces of text; each is one chunk of the stream.
    say: the text itself, cut at its spaces, instead of `tokens` numbered words; `{results}` in it
        is what the tools gave back.
    voice: 1: each word names its request (`request7-word1`), so that two replies to one question
        differ, and text mixed of both can be told.
    reasoning: how many pieces of `reasoning_content` come first.
    call, args: this tool is called before the text is said; its arguments, a JSON object.
    calls: several calls, `[{"name": "...", "arguments": {...}}, ...]`, made side by side; or a list
        of such lists, made one after the other. Arguments that are a string are sent as they are.
    rounds: how many times `calls` are gone through.
    before: the text that is said before each round of calls.
    form: how calls are sent: in `pieces` (as OpenAI does), `whole` (each in one chunk), `together`
        (all in one chunk), `mixed` (pieces of all of them by turns), or with a quirk: `zero` (as
        `whole`, each with the index 0), `bare` (as `whole`, no index and no id), `sameid` (one id
        for all), `newid` (another id with each piece), `objects` (as `whole`, with arguments that
        are no string).
    toolless: 1: a request that offers tools is refused, as Ollama and vLLM do it.
    stamp: each token is `@` and the time it is sent (`time.monotonic_ns`, 18 digits), the first
        one has `#` and the time its request arrived before that. 2: zeros instead of the time,
        which is cheaper.
    rate: tokens a second; 0: as fast as the client takes them.
    delay: seconds before the first token.
    begin: the moment (`time.monotonic_ns`) before which nothing is said, so that replies to
        requests that come one after the other begin together.
    per_write: how many tokens go into one write, and so into one read of the client.
    split: bytes per write, whatever they cut through; 0: whole chunks. `rate` then counts writes.
    status: answer with this HTTP status and an error body instead.
    code: the error's `code` field.
    retry_after: seconds, as a header beside `status`.
    failures: how many times this very message is met with `status` or `fault`; -1: always.
    fault: what goes wrong when `at` tokens are sent (-1: before the head of the answer): `hang`
        (silence), `reset` (the connection breaks), `truncate` (the reply ends in good order but
        unfinished), `malformed` (a chunk that is not JSON), `error` (an error in the stream).
    usage: 1: a usage chunk ends the stream even if not asked for; -1: none even if asked for.
    empty: as many chunks without choices come first.
    done: 0: no `[DONE]` at the end.
    framing: `chunked`, or `close`: neither length nor chunks, the end is the connection's end.
    whole: 1: one JSON object, whatever the request asked for.
    then: `reset`: the connection breaks when it is used for another request.
    """

    tokens: int = 20
    say: str = ""
    voice: int = 0
    reasoning: int = 0
    call: str = ""
    args: str = "{}"
    calls: str = ""
    rounds: int = 1
    before: str = ""
    form: str = "pieces"
    toolless: int = 0
    stamp: int = 0
    rate: float = 0.0
    delay: float = 0.0
    begin: int = 0
    per_write: int = 1
    split: int = 0
    status: int = 0
    code: str = ""
    retry_after: str = ""
    failures: int = -1
    fault: Fault = ""
    at: int = 0
    usage: int = 0
    empty: int = 0
    done: int = 1
    framing: str = "chunked"
    whole: int = 0
    then: str = ""

    def healed(self) -> "Script":
        """Return the script without its faults."""
        return replace(self, status=0, fault="")


_READERS: dict[str, type[int] | type[float] | type[str]] = {
    field.name: type(getattr(Script(), field.name)) for field in fields(Script)
}


def read_script(message: str, default: Script) -> Script:
    """Return what the last directive in `message` asks for; `default` where it has none.

    Raises `ValueError` naming a word that is no field of `Script`.
    """
    directives = _DIRECTIVE.findall(message)
    if not directives:
        return default
    values: dict[str, object] = {}
    for word in directives[-1].split():
        key, _, value = word.partition("=")
        if key not in _READERS:
            raise ValueError(f"the script has no {key!r}")
        values[key] = _READERS[key](unquote(value))
    return replace(Script(), **values)  # type: ignore[arg-type]  # fields read by their own types
