"""Reads what a person answers to the questions a run ended with: AG-UI's `resume`."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from core.errors import InvalidRequest
from core.events import ResumeEntry
from core.tools import AskAnswer, Decision

ANSWERS_MAX: Final = 64
"""Most questions that one run answers."""

_ID_MAX = 128
_COMMENT_MAX = 2_000
_OUTCOMES = {
    "repeat": Decision.REPEAT,
    "happened": Decision.HAPPENED,
    "skip": Decision.SKIP,
}

APPROVAL_SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "editedArgs": {"type": "object"},
        "argumentsHash": {"type": "string"},
        "comment": {"type": "string", "maxLength": _COMMENT_MAX},
    },
    "required": ["approved"],
}
"""What answers an approval; `editedArgs` replaces the arguments whole."""

OUTCOME_SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "decision": {"enum": sorted(_OUTCOMES)},
        "comment": {"type": "string", "maxLength": _COMMENT_MAX},
    },
    "required": ["decision"],
}
"""What answers the question whether a call happened."""


def read_resume(entries: Sequence[ResumeEntry]) -> tuple[AskAnswer, ...]:
    """Return the answers. Raises `InvalidRequest` saying what has to change."""
    if len(entries) > ANSWERS_MAX:
        raise InvalidRequest(f"At most {ANSWERS_MAX} questions can be answered at once.")
    if len({entry.interrupt_id for entry in entries}) < len(entries):
        raise InvalidRequest("A question is answered twice.")
    return tuple(_answer(entry) for entry in entries)


def _answer(entry: ResumeEntry) -> AskAnswer:
    if not 1 <= len(entry.interrupt_id) <= _ID_MAX:
        raise InvalidRequest(f"An interrupt's id has 1 to {_ID_MAX} characters.")
    if entry.status == "cancelled":
        return AskAnswer(entry.interrupt_id, None)
    payload = entry.payload
    if not isinstance(payload, Mapping):
        raise InvalidRequest("The payload of a resolved interrupt must be an object.")
    decision, edited = _decision(payload)
    return AskAnswer(
        ask_id=entry.interrupt_id,
        decision=decision,
        arguments_hash=_text(payload, "argumentsHash", _ID_MAX),
        edited=edited,
        comment=_text(payload, "comment", _COMMENT_MAX),
    )


def _decision(payload: Mapping[str, object]) -> tuple[Decision, str | None]:
    if "decision" in payload:
        decision = _OUTCOMES.get(str(payload["decision"]))
        if decision is None:
            raise InvalidRequest(f"`decision` must be one of: {', '.join(_OUTCOMES)}.")
        return decision, None
    approved, edited = payload.get("approved"), payload.get("editedArgs")
    if not isinstance(approved, bool):
        raise InvalidRequest("The payload needs `approved`, true or false, or a `decision`.")
    if not approved:
        return Decision.REJECTED, None
    if edited is None:
        return Decision.APPROVED, None
    if not isinstance(edited, Mapping):
        raise InvalidRequest("`editedArgs` must be an object.")
    return Decision.EDITED, json.dumps(edited, ensure_ascii=False)


def _text(payload: Mapping[str, object], name: str, limit: int) -> str:
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidRequest(f"`{name}` must be a text of at most {limit} characters.")
    return value
