"""One socket and its client, without a network: deadlines, slow readers, and the end."""

import asyncio
from dataclasses import replace

import pytest

from app.infra.websocket.close_codes import CloseCode
from app.infra.websocket.frames import Hello
from app.infra.websocket.outbox import BEAT
from core.errors import NotFound, StorageUnavailable
from core.principal import LOCAL, Principal
from tests.support.fake_conversations import FakeConversation
from tests.support.socket_peer import (
    CONVERSATION,
    HELLO,
    LIMITS,
    OTHER,
    RUN,
    Backstage,
    Peer,
    connected,
    settle,
    subscribe,
    welcomed,
)

EVENT = '{"type":"CUSTOM","name":"n","value":1}'
BIG_EVENT = '{"type":"CUSTOM","name":"n","value":"' + "x" * LIMITS.lag_bytes + '"}'


@pytest.fixture(params=[False, True], ids=["awaited", "eager"])
def backstage(request: pytest.FixtureRequest) -> Backstage:
    return Backstage(is_eager=request.param)


def now() -> float:
    return asyncio.get_running_loop().time()


def visit(peer: Peer, *, in_seconds: float = 0.0, is_beat: bool = False) -> None:
    peer.socket.visit(now() + in_seconds, is_beat=is_beat)


async def caught_up(backstage: Backstage, peer: Peer) -> FakeConversation:
    """Return a conversation that the peer follows and knows all of."""
    conversation = backstage.readings.add(CONVERSATION)
    assert (await peer.ask(subscribe()))["type"] == "subscribed"
    conversation.say(RUN, EVENT)
    assert (await peer.hear())["type"] == "events"
    await settle()
    return conversation


async def test_a_client_that_says_no_hello_is_closed(backstage: Backstage) -> None:
    async with connected(backstage) as peer:
        visit(peer, in_seconds=LIMITS.hello_seconds - 1)
        await settle()
        assert peer.hears_nothing()
        visit(peer, in_seconds=LIMITS.hello_seconds + 1)
        assert await peer.hear_close() == CloseCode.HELLO_TIMEOUT


async def test_a_client_that_said_hello_may_be_silent(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        visit(peer, in_seconds=3600)
        await settle()
        assert peer.hears_nothing()


async def test_a_beat_comes_after_hello_and_not_before(backstage: Backstage) -> None:
    async with connected(backstage) as peer:
        visit(peer, is_beat=True)
        assert (await peer.ask(HELLO))["type"] == "welcome"
        visit(peer, is_beat=True)
        assert await peer.hear() == {"type": "beat"}


async def test_a_client_that_does_not_read_is_cut_off(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        peer.is_reading.clear()
        conversation.say(RUN, EVENT)
        await settle()
        visit(peer, in_seconds=LIMITS.send_seconds - 1)
        await settle()
        assert len(conversation.readings) == 1
        visit(peer, in_seconds=LIMITS.send_seconds + 1)
        await settle()
        assert conversation.readings == []
        assert await backstage.presence.connections(LOCAL.tenant_id) == []
        peer.is_reading.set()
        assert await peer.hear_close() == CloseCode.SLOW


async def test_a_client_that_never_reads_again_is_left(backstage: Backstage) -> None:
    peer = Peer(backstage, replace(LIMITS, send_seconds=0.01))
    peer.say(HELLO)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(peer.socket.serve())
        await peer.hear()
        peer.is_reading.clear()
        peer.say({"type": "ping", "id": "p"})
        await settle()
        visit(peer, in_seconds=1)
        assert await serving is CloseCode.SLOW


async def test_a_client_that_falls_too_far_behind_is_cut_off(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        peer.is_reading.clear()
        conversation.say(RUN, EVENT)
        await settle()
        visit(peer)
        await settle()
        assert len(conversation.readings) == 1
        conversation.say(RUN, BIG_EVENT)
        visit(peer)
        await settle()
        assert conversation.readings == []
        peer.is_reading.set()
        assert await peer.hear_close() == CloseCode.SLOW


async def test_a_client_that_has_far_to_come_may_take_its_time(backstage: Backstage) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    conversation.say(RUN, *[BIG_EVENT] * 20)
    async with welcomed(backstage) as peer:
        peer.is_reading.clear()
        peer.say(subscribe())
        await settle()
        visit(peer)
        peer.is_reading.set()
        assert (await peer.hear())["type"] == "subscribed"
        told = 0
        while told < 20:
            told += len((await peer.hear())["events"])


async def test_a_client_that_does_not_read_its_answers_is_cut_off(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        peer.is_reading.clear()
        for number in range(300):
            peer.say({"type": "ping", "id": f"{number:060}"})
        await settle(rounds=1000)
        assert await backstage.presence.connections(LOCAL.tenant_id) == []
        peer.is_reading.set()
        assert await peer.hear_close() == CloseCode.SLOW


async def test_a_slow_client_does_not_hold_up_another(backstage: Backstage) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    async with welcomed(backstage) as slow, welcomed(backstage) as healthy:
        for peer in (slow, healthy):
            await peer.ask(subscribe())
        slow.is_reading.clear()
        for sequence in range(1, 200):
            conversation.say(RUN, EVENT)
            assert (await healthy.hear())["sequence"] == sequence


async def test_a_flood_of_frames_does_not_hold_up_another(backstage: Backstage) -> None:
    async with welcomed(backstage) as flooding, welcomed(backstage) as healthy:
        for _ in range(500):
            flooding.say("{")
        assert (await healthy.ask({"type": "ping", "id": "p"}))["type"] == "pong"
        assert flooding.unheard() < 100


async def test_what_the_log_forgot_is_told_by_a_snapshot(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.say(RUN, EVENT)
        conversation.trim()
        frame = await peer.hear()
        assert (frame["run_id"], frame["sequence"]) == (None, 2)
        conversation.say(RUN, EVENT)
        assert (await peer.hear())["sequence"] == 3


async def test_a_conversation_that_is_deleted_is_told_and_the_socket_goes_on(
    backstage: Backstage,
) -> None:
    async with welcomed(backstage, subscriptions=1) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.readings[0].renewal_error = NotFound("It was deleted.")
        conversation.say(RUN, EVENT)
        conversation.trim()
        told = await peer.hear()
        assert (told["type"], told["code"], "id" in told) == ("error", "not_found", False)
        assert CONVERSATION in told["message"]
        assert conversation.readings == []
        backstage.readings.add(OTHER)
        assert (await peer.ask(subscribe(OTHER)))["type"] == "subscribed"


async def test_a_reading_that_can_not_go_on_closes_the_socket(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.readings[0].renewal_error = StorageUnavailable("The disk is full.")
        conversation.say(RUN, EVENT)
        conversation.trim()
        assert await peer.hear_close() == CloseCode.OVERLOADED


async def test_a_reading_that_is_stale_again_and_again_closes_the_socket(
    backstage: Backstage,
) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.readings[0].is_renewable = False
        conversation.say(RUN, EVENT)
        conversation.trim()
        assert await peer.hear_close() == CloseCode.OVERLOADED


async def test_a_bug_in_the_sending_ends_this_socket_alone(backstage: Backstage) -> None:
    backstage.readings.add(OTHER)
    async with welcomed(backstage) as healthy, welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.readings[0].has_bug = True
        conversation.say(RUN, EVENT)
        assert await peer.hear_close() == CloseCode.INTERNAL
        assert (await healthy.ask(subscribe(OTHER)))["type"] == "subscribed"


async def test_going_away_is_told_to_those_who_are_in(backstage: Backstage) -> None:
    async with connected(backstage) as stranger, welcomed(backstage) as peer:
        for each in (stranger, peer):
            each.socket.warn(0.5)
        assert await peer.hear() == {"type": "going_away", "retry_after_seconds": 0.5}
        assert stranger.hears_nothing()


async def test_answers_are_sent_before_the_close(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        peer.is_reading.clear()
        peer.say({"type": "ping", "id": "p"})
        await settle()
        peer.socket.close(CloseCode.GOING_AWAY, "bye")
        peer.say({"type": "ping", "id": "too late"})
        await settle()
        peer.is_reading.set()
        assert (await peer.hear())["id"] == "p"
        assert await peer.hear_close() == CloseCode.GOING_AWAY


async def test_the_first_reason_to_close_counts(backstage: Backstage) -> None:
    async with welcomed(backstage) as peer:
        peer.socket.close(CloseCode.GOING_AWAY, "bye")
        peer.socket.expel()
        assert await peer.hear_close() == CloseCode.GOING_AWAY


@pytest.mark.parametrize("failure", [OSError(), RuntimeError("after websocket.close")])
async def test_a_client_that_went_is_sent_nothing(backstage: Backstage, failure: Exception) -> None:
    async with welcomed(backstage) as peer:
        conversation = await caught_up(backstage, peer)
        conversation.say(RUN, EVENT)
        peer.leave(failure)
        await settle()
        assert conversation.readings == []
        assert peer.hears_nothing()


async def test_a_client_that_is_closed_while_it_is_greeted_is_not_present(
    backstage: Backstage,
) -> None:
    is_known = asyncio.Event()

    async def identify(hello: Hello) -> Principal:
        await is_known.wait()
        return LOCAL

    backstage.house = replace(backstage.house, identify=identify)
    async with connected(backstage) as peer:
        peer.say(HELLO)
        await settle()
        peer.socket.close(CloseCode.GOING_AWAY, "bye")
        assert await peer.hear_close() == CloseCode.GOING_AWAY
        is_known.set()
    assert await backstage.presence.connections(LOCAL.tenant_id) == []


async def test_a_client_that_is_closed_while_it_subscribes_is_not_woken(
    backstage: Backstage,
) -> None:
    conversation = backstage.readings.add(CONVERSATION)
    backstage.readings.is_awake.clear()
    async with welcomed(backstage) as peer:
        peer.say(subscribe())
        await settle()
        peer.socket.close(CloseCode.GOING_AWAY, "bye")
        assert await peer.hear_close() == CloseCode.GOING_AWAY
        backstage.readings.is_awake.set()
    assert conversation.readings == []


def test_the_beat_is_what_the_wire_says() -> None:
    assert BEAT == '{"type":"beat"}'
