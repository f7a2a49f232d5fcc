"""Puts together the tool calls of a streamed reply; no I/O.

OpenAI numbers a reply's calls (`index`) and sends name and id once, then the arguments in pieces.
Others differ, each in its own way: Ollama numbered all of them 0 or none at all, Gemini leaves
out the id, vLLM has made up a new id for every piece, some repeat one id or the name.
"""

import json
from typing import Final

from app.infra.llm.provider_faults import not_the_protocol
from core.ports.chat_model import WantedCall

_CALLS_MAX: Final = 128
_ARGUMENTS_MAX_CHARS: Final = 1 << 20


class _Call:
    __slots__ = ("id", "name", "pieces")

    def __init__(self, id_: str, name: str) -> None:
        self.id = id_
        self.name = name
        self.pieces: list[str] = []

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    def is_whole(self) -> bool:
        return is_object(self.arguments)


class CallPieces:
    """Gathers calls, at most 128 with a mebibyte of arguments in all."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._chars = 0

    def take(self, index: int | None, id_: str, name: str, arguments: str) -> None:
        """Take a piece; what it does not say is None or empty.

        Raises `ModelUnavailable` where there is no end to them, or a piece belongs to nothing.
        """
        call = self._known(index, id_)
        if call is None or _begins_another(call, id_, name, arguments):
            call = self._new(index, id_, name)
        call.name = call.name or name
        call.id = call.id or id_
        if arguments:
            self._chars += len(arguments)
            call.pieces.append(arguments)
        if self._chars > _ARGUMENTS_MAX_CHARS:
            raise not_the_protocol()

    def calls(self) -> tuple[WantedCall, ...]:
        """Return the calls in the order in which they began; no two have one id.

        Raises `ModelUnavailable` for a call without a name.
        """
        if not all(call.name for call in self._calls):
            raise not_the_protocol()
        wanted: list[WantedCall] = []
        taken: set[str] = set()
        for number, call in enumerate(self._calls, start=1):
            id_ = call.id if call.id and call.id not in taken else f"{call.id or 'call'}-{number}"
            taken.add(id_)
            wanted.append(WantedCall(id_, call.name, call.arguments or "{}"))
        return tuple(wanted)

    def _known(self, index: int | None, id_: str) -> _Call | None:
        if index is not None:
            return self._by_index.get(index)
        same = (call for call in reversed(self._calls) if id_ and call.id == id_)
        last = self._calls[-1] if self._calls else None
        return next(same, last)

    def _new(self, index: int | None, id_: str, name: str) -> _Call:
        if len(self._calls) >= _CALLS_MAX:
            raise not_the_protocol()
        call = _Call(id_, name)
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call


def _begins_another(call: _Call, id_: str, name: str, arguments: str) -> bool:
    """Say whether a piece that seems to belong to `call` is the first of the next one.

    A name stands only at a beginning, unless it is repeated; so a name with another id is a new
    call, and a name with the same id or none where an object comes after a whole object.
    """
    if not name:
        return False
    if id_ and call.id and id_ != call.id:
        return True
    return arguments.lstrip().startswith("{") and call.is_whole()


def is_object(arguments: str) -> bool:
    """Say whether a call's arguments are a JSON object."""
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False
