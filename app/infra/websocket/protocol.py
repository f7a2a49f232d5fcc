"""Decides what every frame of one socket means; no I/O, no clock."""

from enum import Enum, auto

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.decisions import (
    CancelRun,
    Close,
    Decision,
    Follow,
    Greet,
    Ignore,
    Reply,
    StartRun,
    Unfollow,
)
from app.infra.websocket.frame_reader import error_frame, read_frame
from app.infra.websocket.frames import (
    PROTOCOL_VERSION,
    Cancel,
    ClientFrame,
    Error,
    Hello,
    Ping,
    Pong,
    Run,
    Subscribe,
    Unsubscribe,
)
from app.turns.run_input import read_run_input
from core.errors import InvalidRequest, TooLarge
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor
from core.principal import Principal
from core.runs import OnBusy


class SocketState(Enum):
    """Where a socket stands; it only ever goes forward."""

    EXPECT_HELLO = auto()
    OPEN = auto()
    CLOSED = auto()


class SocketProtocol:
    """The rules of one socket.

    Frames go in by `receive`, in the order they came, each after what was decided about the one
    before is done. Every frame with a readable id is answered once, with that id.
    """

    __slots__ = (
        "_followed",
        "_frame_max_bytes",
        "_principal",
        "_subscription_limit",
        "state",
    )

    def __init__(self, frame_max_bytes: int, subscription_limit: int) -> None:
        self.state = SocketState.EXPECT_HELLO
        self._frame_max_bytes = frame_max_bytes
        self._subscription_limit = subscription_limit
        self._principal: Principal | None = None
        self._followed: set[ConversationId] = set()

    def receive(self, data: str | bytes) -> Decision:
        """Return what to do about a frame; never raises."""
        if self.state is SocketState.CLOSED:
            return Ignore()
        frame = read_frame(data, self._frame_max_bytes)
        if isinstance(frame, Close):
            self.state = SocketState.CLOSED
            return frame
        if isinstance(frame, Error):
            return Reply(frame)
        if self._principal is None:
            return self._expect_hello(frame)
        return self._decide(frame, self._principal)

    def welcome(self, principal: Principal) -> None:
        """Open the socket for a caller that is known now; one that was closed stays closed."""
        if self.state is SocketState.EXPECT_HELLO:
            self._principal = principal
            self.state = SocketState.OPEN

    def forget(self, conversation_id: ConversationId) -> None:
        """Take back a `Follow` that came to nothing, or has ended."""
        self._followed.discard(conversation_id)

    def close(self) -> None:
        """Hear nothing any more."""
        self.state = SocketState.CLOSED

    def _expect_hello(self, frame: ClientFrame) -> Decision:
        if not isinstance(frame, Hello):
            return _refuse(frame.id, "The first frame must be hello.")
        if frame.protocol == PROTOCOL_VERSION:
            return Greet(frame.id, frame)
        self.state = SocketState.CLOSED
        error = InvalidRequest(f"Protocol {PROTOCOL_VERSION} is the only one spoken here.")
        return Close(
            CloseCode.UNSUPPORTED_PROTOCOL, "unsupported protocol", error_frame(frame.id, error)
        )

    def _decide(self, frame: ClientFrame, principal: Principal) -> Decision:
        match frame:
            case Hello():
                return _refuse(frame.id, "hello may be said only once.")
            case Subscribe():
                return self._follow(frame, principal)
            case Unsubscribe():
                conversation_id = ConversationId(frame.conversation_id)
                self._followed.discard(conversation_id)
                return Unfollow(frame.id, conversation_id)
            case Run():
                return _start_run(frame, principal)
            case Cancel():
                return CancelRun(frame.id, principal, RunId(frame.run_id))
            case Ping():
                return Reply(Pong(id=frame.id))

    def _follow(self, frame: Subscribe, principal: Principal) -> Decision:
        conversation_id = ConversationId(frame.conversation_id)
        is_new = conversation_id not in self._followed
        if is_new and len(self._followed) >= self._subscription_limit:
            limit = self._subscription_limit
            error = TooLarge(f"A socket may subscribe to {limit} conversations.")
            return Reply(error_frame(frame.id, error))
        self._followed.add(conversation_id)
        after = frame.after
        cursor = Cursor(after.epoch, after.sequence) if after else None
        return Follow(frame.id, principal, conversation_id, cursor)


def _start_run(frame: Run, principal: Principal) -> Decision:
    try:
        request = read_run_input(
            frame.run_id,
            frame.conversation_id,
            frame.input.messages,
            frame.input.forwarded_props,
            principal,
            OnBusy(frame.on_busy),
            frame.input.resume,
        )
    except InvalidRequest as error:
        return Reply(error_frame(frame.id, error))
    return StartRun(frame.id, request)


def _refuse(command_id: str, message: str) -> Reply:
    return Reply(error_frame(command_id, InvalidRequest(message)))
