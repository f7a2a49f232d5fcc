"""Questions upon which tools with effects are called, and what the person says when asked."""

import json
import random
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote
from uuid import uuid4

from scripts.chaos.history import Json

ErrandKind = Literal["once", "each", "asked"]
"""How often a task may be done: `once` however often it is asked for; each time, so that a person
is asked where that is not known (`each`); likewise, and the person is `asked` before."""

_DECISIONS = ("repeat", "happened", "skip")
_APPROVED_OF_ALL = 0.85
_ANSWERED_ONE_BY_ONE = 0.3


def errand(kinds: Sequence[ErrandKind], script: str, chance: random.Random) -> str:
    """Return a question that has one or two tasks done, whose ids say of which kind they are."""
    calls = [_call(chance.choice(kinds)) for _ in range(chance.choice((1, 1, 2)))]
    return f"Post it. [[calls={quote(json.dumps(calls))} {script}]]"


def answers_to(interrupts: Sequence[Json], chance: random.Random) -> list[Json]:
    """Return what a person says to questions, as `resume` takes it: to some of them, or all."""
    if len(interrupts) > 1 and chance.random() < _ANSWERED_ONE_BY_ONE:
        interrupts = [chance.choice(interrupts)]
    return [_answer(interrupt, chance) for interrupt in interrupts]


def _call(kind: ErrandKind) -> Json:
    task = {"task": f"{kind}-{uuid4().hex}"}
    if kind == "asked":
        return {"name": "send_webhook", "arguments": {"name": "sink", "body": task}}
    return {"name": f"post_{kind}", "arguments": task}


def _answer(interrupt: Json, chance: random.Random) -> Json:
    payload: Json = {"decision": chance.choice(_DECISIONS)}
    if interrupt["reason"] == "tool_call":
        payload = {
            "approved": chance.random() < _APPROVED_OF_ALL,
            "argumentsHash": interrupt["metadata"]["argumentsHash"],
        }
    return {"interruptId": interrupt["id"], "status": "resolved", "payload": payload}
