"""Says which tools a script calls when, and how the calls are put into chunks; holds no I/O."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from scripts.scripted_model.asked import Asked
from scripts.scripted_model.script import Script

Json = dict[str, object]

_PIECE_CHARS = 8


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool. arguments: as they are sent, a JSON object as a rule."""

    name: str
    arguments: str


def scene(script: Script, asked: Asked) -> tuple[Script, tuple[Call, ...]]:
    """Return what a script says and calls in the round that a request is in.

    A request that offers no tools gets none called: it is answered at once.
    """
    if not script.call and not script.calls:
        return _closing_words(script, asked), ()
    rounds = _rounds(script) * script.rounds
    if asked.offers_tools and asked.round < len(rounds):
        return replace(script, say=script.before, tokens=0, stamp=0), rounds[asked.round]
    return _closing_words(script, asked), ()


def call_chunks(calls: Sequence[Call], form: str, number: int) -> Iterator[list[Json]]:
    """Yield what stands in `tool_calls` of one chunk after the other.

    number: of the request, so that no two replies have the same ids.
    """
    ids = [f"call_{number}_{place}" for place in range(1, len(calls) + 1)]
    pieces = [_pieces(place, ids[place], call) for place, call in enumerate(calls)]
    match form:
        case "pieces":
            yield from ([piece] for each in pieces for piece in each)
        case "mixed":
            by_turns = zip_longest(*pieces)
            yield from ([piece] for turn in by_turns for piece in turn if piece is not None)
        case "sameid":
            named = ({**piece, "id": "call_same"} for each in pieces for piece in each)
            yield from ([piece] for piece in named)
        case "newid":
            every = [piece for each in pieces for piece in each]
            yield from ([{**piece, "id": f"call_new_{n}"}] for n, piece in enumerate(every))
        case "together":
            yield whole_calls(calls, number)
        case "whole" | "zero" | "bare" | "objects":
            yield from ([_odd(call, form)] for call in whole_calls(calls, number))
        case _:
            raise ValueError(f"there is no form {form!r}")


def whole_calls(calls: Sequence[Call], number: int) -> list[Json]:
    """Return calls that are not in pieces."""
    return [
        {
            "index": place,
            "id": f"call_{number}_{place + 1}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for place, call in enumerate(calls)
    ]


def _closing_words(script: Script, asked: Asked) -> Script:
    if "{results}" not in script.say:
        return script
    return replace(script, say=script.say.replace("{results}", " ".join(asked.results)))


def _rounds(script: Script) -> list[tuple[Call, ...]]:
    if script.call:
        return [(Call(script.call, script.args),)]
    given = json.loads(script.calls)
    rounds = given if given and isinstance(given[0], list) else [given]
    return [tuple(_call(call) for call in calls) for calls in rounds]


def _call(given: Json) -> Call:
    arguments = given.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return Call(str(given["name"]), text)


def _pieces(index: int, id_: str, call: Call) -> list[Json]:
    cuts = range(0, len(call.arguments), _PIECE_CHARS)
    opening = {"name": call.name, "arguments": ""}
    return [
        {"index": index, "id": id_, "type": "function", "function": opening},
        *(
            {"index": index, "function": {"arguments": call.arguments[cut : cut + _PIECE_CHARS]}}
            for cut in cuts
        ),
    ]


def _odd(call: Json, form: str) -> Json:
    match form:
        case "zero":
            return {**call, "index": 0}
        case "bare":
            return {"type": "function", "function": call["function"]}
        case "objects":
            function = call["function"]
            assert isinstance(function, dict)
            arguments = json.loads(function["arguments"])
            return {**call, "function": {**function, "arguments": arguments}}
        case _:
            return call
