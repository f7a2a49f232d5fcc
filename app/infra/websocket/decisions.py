"""Names what the protocol may decide about a frame; the socket carries it out.

Decision
├── Ignore      nothing: the socket is closed
├── Reply       send one frame
├── Close       send a last frame, then close
├── Greet       find out who is calling, then `SocketProtocol.welcome`
├── Follow      open a reading, answer `subscribed`
├── Unfollow    close the reading, answer `ok`
├── StartRun    submit, answer `accepted`
└── CancelRun   cancel, answer `ok`
"""

from dataclasses import dataclass

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import ControlFrame, Error, Hello
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor
from core.principal import Principal
from core.runs import RunRequest


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer is known."""

    frame: ControlFrame


@dataclass(frozen=True, slots=True)
class Close:
    """The socket has to go.

    reason: for a person, at most 123 bytes (RFC 6455, 5.5).
    frame: the answer to a command, to be sent before.
    """

    code: CloseCode
    reason: str
    frame: Error | None = None


@dataclass(frozen=True, slots=True)
class Greet:
    """Somebody says who they are."""

    id: str
    hello: Hello


@dataclass(frozen=True, slots=True)
class Follow:
    """The caller wants a conversation's events; `after`: from the first where it is None."""

    id: str
    principal: Principal
    conversation_id: ConversationId
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class Unfollow:
    """The caller wants no more of a conversation's events."""

    id: str
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class StartRun:
    """The caller says something."""

    id: str
    request: RunRequest


@dataclass(frozen=True, slots=True)
class CancelRun:
    """The caller stops a run."""

    id: str
    principal: Principal
    run_id: RunId


Command = Greet | Follow | Unfollow | StartRun | CancelRun
Decision = Ignore | Reply | Close | Command
