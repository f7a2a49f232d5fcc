"""The rules of one socket, frame by frame and for any frames at all."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from app.infra.websocket.frames import Error, Hello, Pong
from app.infra.websocket.protocol import SocketProtocol, SocketState
from core.ids import ConversationId, MessageId, RunId
from core.ports.event_log import Cursor
from core.principal import LOCAL
from core.runs import OnBusy, RunRequest, UserMessage

CONVERSATION = "11111111-1111-4111-8111-111111111111"
RUN = "33333333-3333-4333-8333-333333333333"
HELLO = {"type": "hello", "id": "h", "protocol": 1}
LIMIT = 64 * 1024


def socket() -> SocketProtocol:
    return SocketProtocol(LIMIT, subscription_limit=2)


def open_socket() -> SocketProtocol:
    protocol = socket()
    assert isinstance(tell(protocol, HELLO), Greet)
    protocol.welcome(LOCAL)
    return protocol


def tell(protocol: SocketProtocol, frame: object) -> Decision:
    return protocol.receive(json.dumps(frame))


def subscribe(number: int) -> dict[str, object]:
    conversation_id = f"00000000-0000-4000-8000-{number:012}"
    return {"type": "subscribe", "id": f"s{number}", "conversation_id": conversation_id}


def run(content: object, on_busy: str = "reject") -> dict[str, object]:
    return {
        "type": "run",
        "id": "r",
        "run_id": RUN.upper(),
        "conversation_id": CONVERSATION,
        "input": {"messages": [{"id": "m", "role": "user", "content": content}]},
        "on_busy": on_busy,
    }


def refusal(decision: Decision) -> Error:
    assert isinstance(decision, Reply)
    assert isinstance(decision.frame, Error)
    return decision.frame


def test_a_socket_begins_with_hello() -> None:
    protocol = socket()
    assert tell(protocol, HELLO) == Greet("h", Hello(type="hello", id="h", protocol=1))
    protocol.welcome(LOCAL)
    assert protocol.state is SocketState.OPEN


def test_a_command_before_hello_is_refused_and_the_socket_waits_on() -> None:
    protocol = socket()
    assert refusal(tell(protocol, {"type": "ping", "id": "1"})).id == "1"
    assert isinstance(tell(protocol, HELLO), Greet)


def test_hello_alone_opens_nothing() -> None:
    protocol = socket()
    tell(protocol, HELLO)
    assert refusal(tell(protocol, {"type": "ping", "id": "1"})).id == "1"


def test_a_second_hello_is_refused_and_the_socket_goes_on() -> None:
    protocol = open_socket()
    assert refusal(tell(protocol, HELLO)).id == "h"
    assert tell(protocol, {"type": "ping", "id": "1"}) == Reply(Pong(id="1"))


@pytest.mark.parametrize("version", [0, 2, -1, 10**20])
def test_another_version_closes_the_socket_for_good(version: int) -> None:
    protocol = socket()
    decision = tell(protocol, HELLO | {"protocol": version})
    assert isinstance(decision, Close)
    assert decision.code is CloseCode.UNSUPPORTED_PROTOCOL
    assert decision.frame is not None
    assert decision.frame.id == "h"
    assert tell(protocol, HELLO) == Ignore()


def test_a_closed_socket_can_not_be_opened() -> None:
    protocol = socket()
    protocol.close()
    protocol.welcome(LOCAL)
    assert tell(protocol, {"type": "ping", "id": "1"}) == Ignore()


def test_subscribing_names_the_caller_and_the_cursor() -> None:
    after = {"epoch": "e", "sequence": 4}
    decision = tell(open_socket(), subscribe(1) | {"after": after})
    conversation_id = ConversationId("00000000-0000-4000-8000-000000000001")
    assert decision == Follow("s1", LOCAL, conversation_id, Cursor("e", 4))


def test_subscribing_is_limited() -> None:
    protocol = open_socket()
    assert isinstance(tell(protocol, subscribe(1)), Follow)
    assert isinstance(tell(protocol, subscribe(2)), Follow)
    error = refusal(tell(protocol, subscribe(3)))
    assert (error.id, error.code) == ("s3", "too_large")


def test_subscribing_again_to_the_same_takes_no_room() -> None:
    protocol = open_socket()
    for _ in range(5):
        assert isinstance(tell(protocol, subscribe(1)), Follow)
    assert isinstance(tell(protocol, subscribe(2)), Follow)


def test_unsubscribing_makes_room() -> None:
    protocol = open_socket()
    tell(protocol, subscribe(1))
    tell(protocol, subscribe(2))
    assert isinstance(tell(protocol, subscribe(1) | {"type": "unsubscribe"}), Unfollow)
    assert isinstance(tell(protocol, subscribe(3)), Follow)


def test_a_subscription_that_came_to_nothing_makes_room() -> None:
    protocol = open_socket()
    tell(protocol, subscribe(1))
    tell(protocol, subscribe(2))
    protocol.forget(ConversationId("00000000-0000-4000-8000-000000000001"))
    assert isinstance(tell(protocol, subscribe(3)), Follow)


def test_a_run_becomes_a_request_of_the_caller() -> None:
    assert tell(open_socket(), run("Hello?", "queue")) == StartRun(
        "r",
        RunRequest(
            run_id=RunId(RUN),
            conversation_id=ConversationId(CONVERSATION),
            principal=LOCAL,
            message=UserMessage(MessageId("m"), "Hello?"),
            on_busy=OnBusy.QUEUE,
        ),
    )


def test_a_run_without_text_is_refused() -> None:
    assert refusal(tell(open_socket(), run("  "))).code == "invalid_request"


def test_a_run_is_cancelled_by_its_id() -> None:
    decision = tell(open_socket(), {"type": "cancel", "id": "c", "run_id": RUN.upper()})
    assert decision == CancelRun("c", LOCAL, RunId(RUN))


# Python would write infinity and NaN, which are not JSON: such a frame has no id to be quoted.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4)
    ),
    max_leaves=10,
)
JSON_LIKE = (JSON | st.floats()).map(json.dumps)
ANY_LETTER = st.characters(exclude_categories=[])
COMMAND_ID = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
UUID = st.uuids().map(str)
MESSAGE = st.fixed_dictionaries(
    {"id": st.text(max_size=5), "role": st.sampled_from(["user", "assistant", "system", "nobody"])},
    optional={"content": st.text(max_size=10) | JSON, "name": JSON},
)
FRAME = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("hello"), "protocol": st.sampled_from([1, 2])},
        optional={"ticket": JSON, "token": st.text(max_size=5)},
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["subscribe", "unsubscribe", "cancel", "ping", "other"]),
        },
        optional={"conversation_id": UUID | JSON, "run_id": UUID | JSON, "after": JSON},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("run"),
            "run_id": UUID,
            "conversation_id": UUID,
            "input": st.fixed_dictionaries(
                {"messages": st.lists(MESSAGE, max_size=3)}, optional={"forwardedProps": JSON}
            ),
        },
        optional={"on_busy": st.sampled_from(["reject", "queue", "interrupt", "other"])},
    ),
    st.dictionaries(st.text(max_size=10), JSON, max_size=4),
)


def quoted_id(decision: Decision) -> str | None:
    match decision:
        case Ignore():
            return None
        case Reply():
            return getattr(decision.frame, "id", None)
        case Close():
            return decision.frame.id if decision.frame else None
        case _:
            return decision.id


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.text(ANY_LETTER), st.binary(), JSON_LIKE), max_size=4))
def test_nothing_that_is_received_raises(frames: Sequence[str | bytes]) -> None:
    for protocol in (socket(), open_socket()):
        for frame in frames:
            protocol.receive(frame)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(COMMAND_ID, FRAME), min_size=1, max_size=6))
def test_every_frame_with_an_id_is_answered_once_and_in_order(
    frames: Sequence[tuple[str, dict[str, object]]],
) -> None:
    protocol = open_socket()
    decisions = [tell(protocol, frame | {"id": command_id}) for command_id, frame in frames]
    assert [quoted_id(each) for each in decisions] == [command_id for command_id, _ in frames]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(COMMAND_ID, FRAME), min_size=1, max_size=6))
def test_nothing_but_an_error_is_said_before_hello(
    frames: Sequence[tuple[str, dict[str, object]]],
) -> None:
    protocol = socket()
    for command_id, frame in frames:
        decision = tell(protocol, frame | {"id": command_id})
        match decision:
            case Reply():
                assert isinstance(decision.frame, Error)
            case Greet():
                assert frame["type"] == "hello"
            case _:
                assert isinstance(decision, Close | Ignore)
    assert protocol.state is not SocketState.OPEN
