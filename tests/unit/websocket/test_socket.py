"""One socket and its client, without a network: commands and their answers."""

from dataclasses import replace

import pytest

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import Hello
from core.errors import AppError, Busy, InvalidRequest, StorageUnavailable
from core.ids import RunId, TenantId
from core.principal import LOCAL, Principal
from tests.support.socket_peer import (
    CONVERSATION,
    HELLO,
    OTHER,
    RUN,
    Backstage,
    connected,
    run,
    settle,
    subscribe,
    welcomed,
)

EVENT = '{"type":"CUSTOM","name":"n","value":1}'


@pytest.fixture(params=[False, True], ids=["awaited", "eager"])
def backstage(request: pytest.FixtureRequest) -> Backstage:
    return Backstage(is_eager=request.param)


async def test_a_welcome_says_who_and_where_and_what_is_allowed(backstage: Backstage) -> None:
    async with connected(backstage) as peer:
        assert await peer.ask(HELLO) == {
            "type": "welcome",
            "id": "h",
            "node": "node-1",
            "connection_id": "connection-1",
            "principal": "local",
            "beat_seconds": 2,
            "limits": {"frame_max_bytes": 65536, "subscriptions": 3},
        }


async def test_who_is_connected_is_known_until_it_leaves(backstage: Backstage) -> None:
    backstage.readings.add(CONVERSATION)
    async with welcomed(backstage) as peer:
        await peer.ask(subscribe())
        (connection,) = await backstage.presence.connections(LOCAL.tenant_id)
        assert connection.id == "connection-1"
        assert connection.subscriptions == 1
    assert await backstage.presence.connections(LOCAL.tenant_id) == []


async def test_a_principal_that_is_expelled_is_not_asked_back(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        await backstage.presence.expel(LOCAL)
        assert await peer.hear_close() == CloseCode.EXPELLED


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (InvalidRequest("The ticket was used."), CloseCode.UNAUTHENTICATED),
        (StorageUnavailable("Tickets can't be read."), CloseCode.OVERLOADED),
        (ValueError("a bug"), CloseCode.UNAUTHENTICATED),
    ],
)
async def test_a_caller_that_is_not_known_is_told_and_closed(
    backstage: Backstage, failure: Exception, code: CloseCode
) -> None:
    async def identify(hello: Hello) -> Principal:
        raise failure

    backstage.house = replace(backstage.house, identify=identify)
    async with connected(backstage) as peer:
        answer = await peer.ask(HELLO)
        assert (answer["type"], answer["id"]) == ("error", "h")
        assert await peer.hear_close() == code


async def test_a_subscription_tells_what_was_and_what_comes(backstage: Backstage) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    conversation.say(RUN, EVENT, EVENT)
    async with welcomed(backstage) as peer:
        assert await peer.ask(subscribe()) == {
            "type": "subscribed",
            "id": "s",
            "conversation_id": CONVERSATION,
            "epoch": "life-1",
            "sequence": 2,
            "recovered": True,
        }
        assert (await peer.hear())["sequence"] == 1
        conversation.say(RUN, EVENT)
        assert (await peer.hear())["sequence"] == 3


async def test_a_cursor_brings_exactly_what_was_missed(backstage: Backstage) -> None:
    backstage.readings.add(CONVERSATION).say(RUN, EVENT, EVENT, EVENT)
    after = {"epoch": "life-1", "sequence": 2}
    async with welcomed(backstage) as peer:
        assert (await peer.ask(subscribe() | {"after": after}))["recovered"] is True
        frame = await peer.hear()
        assert (frame["sequence"], len(frame["events"])) == (3, 1)


async def test_a_cursor_of_another_life_brings_a_snapshot(backstage: Backstage) -> None:
    backstage.readings.add(CONVERSATION).say(RUN, EVENT)
    after = {"epoch": "life-0", "sequence": 1}
    async with welcomed(backstage) as peer:
        assert (await peer.ask(subscribe() | {"after": after}))["recovered"] is False
        assert (await peer.hear())["events"][0]["type"] == "MESSAGES_SNAPSHOT"


async def test_a_conversation_of_another_is_not_found_and_takes_no_room(
    backstage: Backstage,
) -> None:
    backstage.readings.add(OTHER).owner = Principal(LOCAL.id, TenantId("other"))
    backstage.readings.add(CONVERSATION)
    async with welcomed(backstage, subscriptions=1) as peer:
        for conversation_id in (OTHER, RUN):
            answer = await peer.ask(subscribe(conversation_id))
            assert (answer["type"], answer["id"], answer["code"]) == ("error", "s", "not_found")
        assert (await peer.ask(subscribe()))["type"] == "subscribed"


async def test_nothing_follows_the_answer_to_unsubscribe(backstage: Backstage) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    async with welcomed(backstage) as peer:
        await peer.ask(subscribe())
        command = {"type": "unsubscribe", "id": "u", "conversation_id": CONVERSATION}
        assert await peer.ask(command) == {"type": "ok", "id": "u"}
        conversation.say(RUN, EVENT)
        await settle()
        assert peer.hears_nothing()
        assert await peer.ask(command) == {"type": "ok", "id": "u"}


async def test_a_run_is_accepted_once_and_known_after(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        first = await peer.ask(run("Hello?"))
        assert first == {
            "type": "accepted",
            "id": "r",
            "run_id": RUN,
            "conversation_id": CONVERSATION,
            "duplicate": False,
        }
        assert (await peer.ask(run("Hello?"))) == first | {"duplicate": True}
    (request,) = backstage.turns.submitted
    assert request.message.content == "Hello?"


async def test_a_run_is_cancelled(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        answer = await peer.ask({"type": "cancel", "id": "c", "run_id": RUN})
        assert answer == {"type": "ok", "id": "c"}
    assert backstage.turns.cancelled == [RunId(RUN)]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            Busy("One at a time.", retry_after_seconds=3),
            {
                "code": "busy",
                "message": "One at a time.",
                "retryable": True,
                "retry_after_seconds": 3,
            },
        ),
        (
            ValueError("the password is 1234"),
            {
                "code": "internal",
                "message": "Something went wrong in the server.",
                "retryable": False,
            },
        ),
    ],
)
async def test_what_fails_is_told_and_the_socket_goes_on(
    backstage: Backstage, failure: AppError, told: dict[str, object]
) -> None:
    async with welcomed(backstage) as peer:
        backstage.turns.failure = failure
        assert await peer.ask(run()) == {"type": "error", "id": "r"} | told
        backstage.turns.failure = None
        assert (await peer.ask(run()))["type"] == "accepted"


async def test_a_command_that_takes_too_long_is_answered(backstage: Backstage) -> None:
    async with welcomed(backstage, command_seconds=0.01) as peer:
        backstage.turns.is_awake.clear()
        answer = await peer.ask(run())
        assert (answer["code"], answer["retryable"]) == ("deadline_exceeded", True)


async def test_commands_are_answered_in_the_order_they_came(backstage: Backstage) -> None:
    backstage.turns.is_awake.clear()
    async with welcomed(backstage) as peer:
        peer.say(run())
        peer.say({"type": "ping", "id": "p"})
        peer.say({"type": "dance", "id": "d"})
        await settle()
        assert peer.hears_nothing()
        backstage.turns.is_awake.set()
        answers = [await peer.hear() for _ in range(3)]
    assert [answer["id"] for answer in answers] == ["r", "p", "d"]


async def test_events_are_told_while_a_command_waits(backstage: Backstage) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    async with welcomed(backstage) as peer:
        await peer.ask(subscribe())
        backstage.turns.is_awake.clear()
        peer.say(run())
        await settle()
        conversation.say(RUN, EVENT)
        assert (await peer.hear())["type"] == "events"
        backstage.turns.is_awake.set()
        assert (await peer.hear())["type"] == "accepted"


async def test_a_client_that_leaves_does_not_stop_its_command(backstage: Backstage) -> None:
    backstage.turns.is_awake.clear()
    async with welcomed(backstage) as peer:
        peer.say(run())
        await settle()
        peer.leave()
        await settle()
        backstage.turns.is_awake.set()
    assert len(backstage.turns.submitted) == 1


@pytest.mark.parametrize("frame", ["{", "[]", b"binary", '{"type":"dance"}'])
async def test_a_wrong_frame_is_answered_and_the_socket_goes_on(
    backstage: Backstage, frame: str | bytes
) -> None:
    async with welcomed(backstage) as peer:
        answer = await peer.ask(frame)
        assert (answer["code"], "id" in answer) == ("invalid_request", False)
        assert (await peer.ask({"type": "ping", "id": "p"}))["type"] == "pong"


@pytest.mark.parametrize(
    ("frame", "code"),
    [("\ud800", CloseCode.INVALID_TEXT), ("x" * 70_000, CloseCode.FRAME_TOO_BIG)],
)
async def test_a_frame_that_breaks_the_rules_closes_the_socket(
    backstage: Backstage, frame: str, code: CloseCode
) -> None:
    async with welcomed(backstage) as peer:
        peer.say(frame)
        assert await peer.hear_close() == code


async def test_another_version_is_told_and_closed(backstage: Backstage) -> None:
    async with connected(backstage) as peer:
        assert (await peer.ask(HELLO | {"protocol": 2}))["id"] == "h"
        assert await peer.hear_close() == CloseCode.UNSUPPORTED_PROTOCOL
