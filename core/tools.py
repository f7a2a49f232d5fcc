"""Words for what an agent does besides talking: effects, outputs, asking a person."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from core.ids import ConversationId, RunId


class Effect(StrEnum):
    """What a tool does to the world; it decides what may be repeated.

    READ: nothing. Repeated freely.
    IDEMPOTENT_WRITE: a write whose repetition under the same key changes nothing more. Repeated
        with the key.
    WRITE: a write that is done again each time. Never repeated without asking a person.
    """

    READ = "read"
    IDEMPOTENT_WRITE = "idempotent_write"
    WRITE = "write"

    @property
    def is_repeatable(self) -> bool:
        """Whether a call that may have happened may be made once more."""
        return self is not Effect.WRITE


class Outcome(StrEnum):
    """What became of a call.

    DONE: it gave back what it was asked for.
    INVALID: it was not made: the model may repair it (unknown tool, wrong arguments).
    REFUSED: it was not made: the caller may not, a budget is used up, or a person said no.
    UNAVAILABLE: it was not made, because what it needs is known to be away (an open breaker, a
        server that is not there).
    FAILED: it was made and failed; a failed write has changed nothing.
    UNKNOWN: a write was begun and nobody knows whether it happened.
    """

    DONE = "done"
    INVALID = "invalid"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text, as a tool gave it back."""

    text: str


@dataclass(frozen=True, slots=True)
class JsonPart:
    """A JSON value."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture. media_type: such as `image/png`."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that can be fetched. url: absolute, or a path of this server."""

    name: str
    media_type: str
    url: str


OutputPart = TextPart | JsonPart | ImagePart | FilePart


class AskKind(StrEnum):
    """What a person is asked.

    APPROVAL: may this call be made?
    UNKNOWN_OUTCOME: this write may have happened before its node was lost: what now?
    """

    APPROVAL = "approval"
    UNKNOWN_OUTCOME = "unknown_outcome"


class Decision(StrEnum):
    """What a person answered.

    APPROVED, EDITED (approved with other arguments), REJECTED: to an approval.
    REPEAT (do it again), HAPPENED (it did happen), SKIP (leave it): to an unknown outcome.
    """

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    REPEAT = "repeat"
    HAPPENED = "happened"
    SKIP = "skip"

    def answers(self, kind: AskKind) -> bool:
        """Whether this is an answer to a question of this kind."""
        is_approval = self in (Decision.APPROVED, Decision.EDITED, Decision.REJECTED)
        return is_approval == (kind is AskKind.APPROVAL)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the person about one call: AG-UI's interrupt. It is answered once.

    root_id: the run in which the call was decided on; those that continue it have other ids.
    arguments: a JSON object, exactly what would be sent; arguments_hash: see `arguments_hash`.
    decision: None while it waits.
    edited: the arguments in place of `arguments`, where the person changed them.
    """

    id: str
    kind: AskKind
    root_id: RunId
    conversation_id: ConversationId
    call_id: str
    tool: str
    arguments: str
    arguments_hash: str
    effect: Effect
    expires_at: datetime
    decision: Decision | None = None
    edited: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AskAnswer:
    """What a person says to one question.

    decision: None: the person won't say; it is kept as `REJECTED` or `SKIP`, whatever fits.
    arguments_hash: of the arguments that the person saw; empty where the client does not say.
    edited: a JSON object, only with `EDITED`.
    """

    ask_id: str
    decision: Decision | None
    arguments_hash: str = ""
    edited: str | None = None
    comment: str = ""


def arguments_hash(arguments: str) -> str:
    """Return the SHA-256, in hex, of a JSON object's canonical form: keys sorted, no spaces.

    Raises `ValueError` where it is not JSON.
    """
    value = json.loads(arguments or "{}")
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
