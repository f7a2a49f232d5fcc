"""Reads what AG-UI says about a run into the one request that every front door submits."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ag_ui.core import Message, TextPart, UserMessage

from app.turns.resume_input import read_resume
from core import runs
from core.documents import DEFAULT_COLLECTION
from core.errors import InvalidRequest
from core.events import ResumeEntry
from core.ids import ConversationId, MessageId, RunId
from core.principal import Principal
from core.runs import OnBusy, RunRequest

# One text for each id, but for its case: no braces, no `urn:uuid:`, no missing hyphens.
UUID_PATTERN: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

_ID_MAX = 128
# The question of a run that continues another is that one's.
_NO_MESSAGE = runs.UserMessage(id=MessageId(""), content="")
_COLLECTION_MAX = 200


def read_run_input(
    run_id: str,
    conversation_id: str,
    messages: Sequence[Message],
    forwarded_props: object,
    principal: Principal,
    on_busy: OnBusy = OnBusy.REJECT,
    resume: Sequence[ResumeEntry] | None = None,
) -> RunRequest:
    """Return the request to answer the last message of the user, or to go on with its answers.

    run_id, conversation_id: UUIDs in any case; AG-UI's `runId` and `threadId`.
    messages: as much of the history as the client sends; all but the user's last is ignored.
    forwarded_props: `{"collection": name}` where it is an object; other keys are the client's.
    resume: the person's answers to what an earlier run asked; messages then say nothing new.
    Raises `InvalidRequest` saying what has to change.
    """
    return RunRequest(
        run_id=RunId(canonical_uuid(run_id, "The run id")),
        conversation_id=ConversationId(canonical_uuid(conversation_id, "The conversation id")),
        principal=principal,
        message=_NO_MESSAGE if resume else _last_user_message(messages),
        on_busy=on_busy,
        collection=_collection(forwarded_props),
        answers=read_resume(resume) if resume else (),
    )


def canonical_uuid(text: str, name: str) -> str:
    """Return a UUID in lower case with hyphens; raises `InvalidRequest` calling it `name`."""
    if not re.fullmatch(UUID_PATTERN, text):
        raise InvalidRequest(f"{name} must be a UUID such as 123e4567-e89b-12d3-a456-426614174000.")
    return text.lower()


def _last_user_message(messages: Sequence[Message]) -> runs.UserMessage:
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return _read_message(message)
    raise InvalidRequest("There is no message of the user to answer.")


def _read_message(message: UserMessage) -> runs.UserMessage:
    if not 1 <= len(message.id) <= _ID_MAX:
        raise InvalidRequest(f"The id of the user's message must have 1 to {_ID_MAX} characters.")
    text = _text_of(message)
    if not text.strip():
        raise InvalidRequest("The user's message has no text.")
    return runs.UserMessage(id=MessageId(message.id), content=text)


def _text_of(message: UserMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    texts = [part.text for part in message.content if isinstance(part, TextPart)]
    if len(texts) != len(message.content):
        raise InvalidRequest("Only text can be read in a message; upload files as documents.")
    return "\n".join(texts)


def _collection(forwarded_props: object) -> str:
    if not isinstance(forwarded_props, Mapping):
        return DEFAULT_COLLECTION
    name = forwarded_props.get("collection")
    if name is None:
        return DEFAULT_COLLECTION
    if not isinstance(name, str) or not 1 <= len(name) <= _COLLECTION_MAX:
        raise InvalidRequest(f"A collection's name must be 1 to {_COLLECTION_MAX} characters.")
    return name
