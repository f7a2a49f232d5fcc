"""Defines every frame of the wire: text, one JSON object each, told apart by `type`.

ClientFrame                    answered by (each answer quotes the command's `id`)
├── Hello        hello         welcome
├── Subscribe    subscribe     subscribed, then events
├── Unsubscribe  unsubscribe   ok
├── Run          run           accepted
├── Cancel       cancel        ok
└── Ping         ping          pong
ServerFrame
├── Welcome      welcome       ├── Events     events
├── Subscribed   subscribed    ├── Beat       beat
├── Ok           ok            ├── GoingAway  going_away
├── Accepted     accepted      └── Error      error; in place of any answer
└── Pong         pong
"""

from typing import Annotated, Literal

from ag_ui.core import Context, Event, Message, ResumeEntry, Tool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.turns.run_input import UUID_PATTERN

PROTOCOL_VERSION = 1
"""The only version that this server speaks."""

# Beyond it a JavaScript client could not count.
_MAX_SEQUENCE = 2**53 - 1

CommandId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Uuid = Annotated[
    str,
    StringConstraints(pattern=UUID_PATTERN, to_lower=True),
    Field(json_schema_extra={"format": "uuid"}),
]
SequenceNumber = Annotated[int, Field(ge=0, le=_MAX_SEQUENCE)]


class Frame(BaseModel):
    """What all frames share: they are frozen, and a field nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# From the client.


class Hello(Frame):
    """The first frame of a socket; nothing else is heard before it.

    protocol: the version the client speaks; 1 is the only one.
    ticket, token: who is calling; neither is needed in open development mode.
    """

    type: Literal["hello"]
    id: CommandId
    protocol: int
    ticket: str | None = Field(default=None, max_length=8192, repr=False)
    token: str | None = Field(default=None, max_length=8192, repr=False)


class Position(Frame):
    """The last event a client has of a conversation.

    epoch: which life of the conversation's log; from `subscribed` or `events`.
    sequence: position in the conversation, from 1, no gaps; 0 before the first event.
    """

    epoch: str = Field(max_length=200)
    sequence: SequenceNumber


class Subscribe(Frame):
    """Asks for a conversation's events: those it missed, then each as it comes.

    after: the last event the client has; left out, it gets all from the first.
    Subscribing again to the same conversation begins anew from `after`.
    """

    type: Literal["subscribe"]
    id: CommandId
    conversation_id: Uuid
    after: Position | None = None


class Unsubscribe(Frame):
    """Ends the events of a conversation; no error where there were none."""

    type: Literal["unsubscribe"]
    id: CommandId
    conversation_id: Uuid


class RunInput(Frame):
    """AG-UI's `RunAgentInput` without what the server knows.

    messages: the last one of the user is what is answered; its text counts, other parts are
        refused. What came before it is on the server, and need not be sent.
    forwardedProps: `collection` names where retrieval looks, `default` where it is left out.
    resume: the person's answers to the interrupts an earlier run ended with; `messages` then may
        be empty. See docs/protocol.md.
    state, tools, context, protocolVersion, parentRunId: heard, and not used yet.
    """

    messages: list[Message]
    resume: list[ResumeEntry] | None = None
    forwarded_props: dict[str, JsonValue] | None = Field(default=None, alias="forwardedProps")
    state: JsonValue = None
    tools: list[Tool] | None = None
    context: list[Context] | None = None
    protocol_version: str | None = Field(default=None, alias="protocolVersion")
    parent_run_id: str | None = Field(default=None, alias="parentRunId")


class Run(Frame):
    """Says something in a conversation, which comes into being with its first run.

    run_id: a UUID of the client's choice; sent twice, on any nodes, it runs once.
    on_busy: what happens while the conversation's run before it is not finished: `reject` answers
        with the error `busy`, `queue` waits for it, `interrupt` stops it.
    """

    type: Literal["run"]
    id: CommandId
    run_id: Uuid
    conversation_id: Uuid
    input: RunInput
    on_busy: Literal["reject", "queue", "interrupt"] = "reject"


class Cancel(Frame):
    """Stops a run, whichever socket began it. Closing a socket never does."""

    type: Literal["cancel"]
    id: CommandId
    run_id: Uuid


class Ping(Frame):
    """Asks whether anybody is there."""

    type: Literal["ping"]
    id: CommandId


ClientFrame = Annotated[
    Hello | Subscribe | Unsubscribe | Run | Cancel | Ping, Field(discriminator="type")
]


# From the server.


class Limits(Frame):
    """What one socket may do.

    frame_max_bytes: of one frame from the client, in UTF-8; a longer one closes the socket.
    subscriptions: conversations at a time.
    """

    frame_max_bytes: int
    subscriptions: int


class Welcome(Frame):
    """Answers `hello`.

    node: the server process; for support, and never needed to come back.
    connection_id: this socket, in the server's logs.
    principal: who the server takes the caller for.
    beat_seconds: a `beat` comes this often; a client that hears nothing at all for more than
        twice as long reconnects.
    """

    type: Literal["welcome"] = "welcome"
    id: CommandId
    node: str
    connection_id: str
    principal: str
    beat_seconds: float
    limits: Limits


class Subscribed(Frame):
    """Answers `subscribe`; the events follow.

    epoch: which life of the conversation's log the sequences belong to.
    sequence: that of the conversation's last event now; what is missing up to it follows.
    recovered: whether exactly the missed events follow. If not, what the client has can't be
        continued, and the first event is a `MESSAGES_SNAPSHOT` that replaces it.
    """

    type: Literal["subscribed"] = "subscribed"
    id: CommandId
    conversation_id: Uuid
    epoch: str
    sequence: SequenceNumber
    recovered: bool


class Ok(Frame):
    """Answers a command that has nothing more to say."""

    type: Literal["ok"] = "ok"
    id: CommandId


class Accepted(Frame):
    """Answers `run`: the message is on disk, and will get an answer or an explicit error.

    duplicate: whether the run was known before; it is not run again.
    """

    type: Literal["accepted"] = "accepted"
    id: CommandId
    run_id: Uuid
    conversation_id: Uuid
    duplicate: bool


class Pong(Frame):
    """Answers `ping`."""

    type: Literal["pong"] = "pong"
    id: CommandId


class Events(Frame):
    """One or more consecutive AG-UI events of one run.

    run_id: null for a snapshot, which stands for many runs.
    sequence: that of the first event; the others count on from it. A client ignores what it has,
        and subscribes again from its cursor when a number is missing.
    events: AG-UI 1.0, unchanged; each counts, also those a client does not know.
    """

    type: Literal["events"] = "events"
    conversation_id: Uuid
    run_id: Uuid | None
    epoch: str
    sequence: SequenceNumber
    events: list[Event]


class Error(Frame):
    """Says what could not be done; the socket goes on.

    id: of the command; left out where the frame had none that could be read.
    code: one of `invalid_request`, `not_found`, `conflict`, `busy`, `too_large`,
        `deadline_exceeded`, `storage_unavailable`, `internal`.
    message: for a person; never to be parsed.
    retryable: whether the same command may succeed later.
    retry_after_seconds: when to try, where the server knows.
    """

    type: Literal["error"] = "error"
    id: CommandId | None = None
    code: str
    message: str
    retryable: bool
    retry_after_seconds: float | None = None


class Beat(Frame):
    """Says that the node is alive; every `beat_seconds`, whatever else is said."""

    type: Literal["beat"] = "beat"


class GoingAway(Frame):
    """Says that this node will close the socket soon; the client may leave before.

    retry_after_seconds: how long to wait before it connects again.
    """

    type: Literal["going_away"] = "going_away"
    retry_after_seconds: float


ServerFrame = Annotated[
    Welcome | Subscribed | Ok | Accepted | Pong | Events | Error | Beat | GoingAway,
    Field(discriminator="type"),
]
ControlFrame = Welcome | Subscribed | Ok | Accepted | Pong | Error | Beat | GoingAway
"""Every server frame but `Events`, which is put together from text (see `subscription`)."""


def encode(frame: ControlFrame) -> str:
    """Return the frame as the text that goes over the wire."""
    return frame.model_dump_json(exclude_none=True)
