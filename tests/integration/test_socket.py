"""The socket over the real server: commands, bad input, and who may come in."""

import json
import logging

import pytest
from websockets.exceptions import InvalidStatus

from app.infra.websocket.close_codes import CloseCode
from core.principal import LOCAL
from tests.support.socket_peer import CONVERSATION, HELLO, RUN, run, subscribe
from tests.support.socket_server import Client, RunningDoor, connected, running_door, welcomed

PING = {"type": "ping", "id": "p"}


def event(number: int) -> str:
    return json.dumps({"type": "CUSTOM", "name": "n", "value": number})


async def say(door: RunningDoor, *numbers: int) -> None:
    conversation = door.backstage.readings.add(CONVERSATION)
    await door.do(lambda: conversation.say(RUN, *map(event, numbers)))


async def test_a_conversation_is_followed_by_two_who_see_the_same() -> None:
    async with running_door() as door:
        await say(door, 1, 2, 3)
        async with welcomed(door) as one, welcomed(door) as two:
            for client in (one, two):
                assert (await client.ask(subscribe()))["recovered"] is True
            for number in range(4, 200):
                await say(door, number)
            expected = [(number, event(number)) for number in range(1, 200)]
            assert await one.hear_events(199) == expected
            assert await two.hear_events(199) == expected


async def test_a_client_that_lost_its_socket_gets_exactly_what_it_missed() -> None:
    async with running_door() as door:
        await say(door, 1, 2)
        async with welcomed(door) as client:
            epoch = (await client.ask(subscribe()))["epoch"]
            await client.hear_events(2)
            client.connection.transport.abort()
        await say(door, 3, 4)
        async with welcomed(door) as client:
            after = {"epoch": epoch, "sequence": 2}
            assert (await client.ask(subscribe() | {"after": after}))["recovered"] is True
            await say(door, 5)
            assert await client.hear_events(3) == [(n, event(n)) for n in (3, 4, 5)]


async def test_commands_are_answered_in_order() -> None:
    async with running_door() as door, welcomed(door) as client:
        await say(door, 1)
        for frame in (
            run(),
            PING,
            subscribe(),
            {"type": "unsubscribe", "id": "u", "conversation_id": CONVERSATION},
            {"type": "cancel", "id": "c", "run_id": RUN},
            "nonsense",
            PING,
        ):
            await client.say(frame)
        heard = [await client.hear() for _ in range(7)]
        answers = [frame["type"] for frame in heard if frame["type"] != "events"]
        # The event may be told before the unsubscribe is heard, or not.
        missing = [await client.hear() for _ in range(7 - len(answers))]
        answers += [frame["type"] for frame in missing]
        assert answers == ["accepted", "pong", "subscribed", "ok", "ok", "error", "pong"]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "[" * 10_000,
        '{"type":"ping","id":"p","x":' + '{"x":' * 10_000,
        '{"type":"ping","id":"p","x":NaN}',
        '{"type":"ping","id":"\\ud800"}',
        '{"type":"dance","id":"d"}',
        b"\x00\xff",
    ],
    ids=["empty", "list", "deep list", "deep object", "nan", "surrogate", "unknown", "binary"],
)
async def test_a_wrong_frame_is_an_error_and_the_socket_goes_on(frame: str | bytes) -> None:
    async with running_door() as door, welcomed(door) as client:
        assert (await client.ask(frame))["code"] == "invalid_request"
        assert await client.ask(PING) == {"type": "pong", "id": "p"}


async def is_healthy(client: Client) -> bool:
    return await client.ask(PING) == {"type": "pong", "id": "p"}


async def test_text_that_is_not_utf_8_closes_that_socket_alone() -> None:
    async with running_door() as door, welcomed(door) as healthy, welcomed(door) as client:
        await client.connection.send(b'{"id":"\xff"}', text=True)
        assert await client.hear_close() == CloseCode.INVALID_TEXT
        assert await is_healthy(healthy)


async def test_a_frame_over_the_limit_closes_that_socket_alone() -> None:
    async with (
        running_door(frame_max_bytes=2048) as door,
        welcomed(door) as healthy,
        welcomed(door) as client,
    ):
        assert (await client.ask('"' + "x" * 2046 + '"'))["code"] == "invalid_request"
        await client.say('"' + "x" * 2047 + '"')
        assert await client.hear_close() == CloseCode.FRAME_TOO_BIG
        assert await is_healthy(healthy)


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        (None, True),
        ("https://app.example.com", True),
        ("https://app.example.com.evil.example", False),
        ("http://localhost:1", False),
        ("null", False),
    ],
)
async def test_only_known_pages_are_let_in(origin: str | None, is_let_in: bool) -> None:
    async with running_door(allowed_origins="https://app.example.com") as door:
        if is_let_in:
            async with connected(door, origin=origin) as client:
                assert (await client.ask(HELLO))["type"] == "welcome"
        else:
            with pytest.raises(InvalidStatus) as refused:
                async with connected(door, origin=origin):
                    pass
            assert refused.value.response.status_code == 403


async def test_its_own_page_is_let_in() -> None:
    async with running_door() as door:
        host, port = door.address
        async with connected(door, origin=f"http://{host}:{port}") as client:
            assert (await client.ask(HELLO))["type"] == "welcome"


async def test_a_query_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        running_door() as door,
        connected(door, "?token=swordfish", subprotocols=["swordfish"]) as client,
    ):
        await client.ask(HELLO)
    accepted = [record for record in caplog.messages if "[accepted]" in record]
    assert accepted
    assert not [message for message in accepted if "swordfish" in message]


async def test_beats_come_by_themselves() -> None:
    async with running_door(beat_seconds=0.05) as door, welcomed(door) as client:
        for _ in range(3):
            assert json.loads(await client.connection.recv()) == {"type": "beat"}


async def test_no_hello_closes_the_socket() -> None:
    async with (
        running_door(hello_timeout_seconds=0.05, beat_seconds=0.05) as door,
        connected(door) as client,
    ):
        assert await client.hear_close() == CloseCode.HELLO_TIMEOUT


async def test_a_node_that_goes_away_says_so_and_closes() -> None:
    async with running_door() as door, welcomed(door) as one, welcomed(door) as two:
        await door.do(lambda: door.door.drain(0.5))
        for client in (one, two):
            assert await client.hear() == {"type": "going_away", "retry_after_seconds": 0.5}
        with pytest.raises(InvalidStatus) as refused:
            async with connected(door):
                pass
        assert refused.value.response.status_code == 503
        await door.call(door.door.close_all(0.05))
        for client in (one, two):
            assert await client.hear_close() == CloseCode.GOING_AWAY


async def test_a_node_that_is_cut_off_sends_its_clients_away_and_lets_them_in_later() -> None:
    async with running_door() as door, welcomed(door) as one, welcomed(door) as two:
        await door.call(door.door.send_away(0.05))
        for client in (one, two):
            assert await client.hear() == {"type": "going_away", "retry_after_seconds": 0}
            assert await client.hear_close() == CloseCode.GOING_AWAY
        with pytest.raises(InvalidStatus) as refused:
            async with connected(door):
                pass
        assert refused.value.response.status_code == 503

        await door.do(door.door.let_in)
        async with welcomed(door):
            pass


async def test_a_signed_out_principal_is_closed_for_good() -> None:
    async with running_door() as door, welcomed(door) as client:
        await door.call(door.backstage.presence.expel(LOCAL))
        assert await client.hear_close() == CloseCode.EXPELLED
