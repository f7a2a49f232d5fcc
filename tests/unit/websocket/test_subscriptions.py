"""How the events of several conversations share one socket."""

import json

import pytest

from app.infra.websocket.frames import Events
from app.infra.websocket.subscriptions import StaleReading, Subscription, Subscriptions
from core.events import RunStartedEvent, TextMessageContentEvent, encode
from core.ids import ConversationId
from core.ports.event_log import Cursor
from tests.support.fake_conversations import SNAPSHOT, FakeConversation, FakeReading

ONE = ConversationId("11111111-1111-4111-8111-111111111111")
TWO = ConversationId("22222222-2222-4222-8222-222222222222")
RUN = "33333333-3333-4333-8333-333333333333"
RUN_TWO = "44444444-4444-4444-8444-444444444444"


def text_event(delta: str) -> str:
    return encode(TextMessageContentEvent(message_id="m", delta=delta))


BIG = text_event("x" * 40_000)


def follow(
    subscriptions: Subscriptions,
    conversation_id: ConversationId,
    conversation: FakeConversation,
    after: Cursor | None = None,
) -> Subscription:
    subscription = subscriptions.add(conversation_id)
    reading = FakeReading(conversation, after, subscription.wake)
    subscriptions.start(subscription, reading)
    return subscription


def take_all(subscriptions: Subscriptions) -> list[Events]:
    frames = []
    while (frame := subscriptions.next_frame()) is not None:
        frames.append(Events.model_validate_json(frame))
    return frames


@pytest.fixture
async def subscriptions() -> Subscriptions:
    return Subscriptions()


async def test_the_text_that_is_put_together_is_an_events_frame(
    subscriptions: Subscriptions,
) -> None:
    conversation = FakeConversation(epoch='a "quoted" epoch')
    said = [encode(RunStartedEvent(thread_id=ONE, run_id=RUN)), text_event('é"\n\U0001f600')]
    conversation.say(RUN, *said)
    follow(subscriptions, ONE, conversation)
    text = subscriptions.next_frame()
    assert text is not None
    assert json.loads(text) == {
        "type": "events",
        "conversation_id": ONE,
        "run_id": RUN,
        "epoch": 'a "quoted" epoch',
        "sequence": 1,
        "events": [json.loads(event) for event in said],
    }
    Events.model_validate_json(text)
    assert subscriptions.next_frame() is None


async def test_each_run_has_frames_of_its_own(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    conversation.say(RUN, text_event("a"), text_event("b"))
    conversation.say(RUN_TWO, text_event("c"))
    follow(subscriptions, ONE, conversation)
    frames = take_all(subscriptions)
    assert [(frame.run_id, frame.sequence) for frame in frames] == [(RUN, 1), (RUN_TWO, 3)]


async def test_a_snapshot_belongs_to_no_run(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation(base=4)
    follow(subscriptions, ONE, conversation, Cursor("another life", 2))
    conversation.say(RUN, text_event("a"))
    frames = take_all(subscriptions)
    assert [(frame.run_id, frame.sequence) for frame in frames] == [(None, 4), (RUN, 5)]


async def test_conversations_take_turns(subscriptions: Subscriptions) -> None:
    for conversation_id in (ONE, TWO):
        conversation = FakeConversation()
        conversation.say(RUN, BIG, BIG, BIG)
        follow(subscriptions, conversation_id, conversation)
    frames = take_all(subscriptions)
    assert [frame.conversation_id for frame in frames] == [ONE, TWO] * 3
    assert [frame.sequence for frame in frames] == [1, 1, 2, 2, 3, 3]


async def test_being_woken_wakes_the_writer(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    follow(subscriptions, ONE, conversation)
    take_all(subscriptions)
    calls: list[str] = []
    subscriptions.on_mark = lambda: calls.append("marked")
    conversation.say(RUN, text_event("a"))
    conversation.say(RUN, text_event("b"))
    assert calls == ["marked"]
    assert len(take_all(subscriptions)) == 1


async def test_a_removed_subscription_says_nothing_more(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    follow(subscriptions, ONE, conversation)
    conversation.say(RUN, text_event("a"))
    subscriptions.remove(ONE)
    assert subscriptions.next_frame() is None
    assert conversation.readings == []


async def test_subscribing_again_ends_the_reading_before(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    conversation.say(RUN, text_event("a"), text_event("b"))
    follow(subscriptions, ONE, conversation)
    follow(subscriptions, ONE, conversation, Cursor(conversation.epoch, 1))
    assert [frame.sequence for frame in take_all(subscriptions)] == [2]
    assert len(conversation.readings) == 1


async def test_a_reading_that_opens_too_late_is_closed(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    subscription = subscriptions.add(ONE)
    reading = FakeReading(conversation, None, subscription.wake)
    subscriptions.close()
    subscriptions.start(subscription, reading)
    assert conversation.readings == []
    assert subscriptions.next_frame() is None


async def test_waking_before_the_reading_is_open_does_no_harm(
    subscriptions: Subscriptions,
) -> None:
    subscription = subscriptions.add(ONE)
    subscription.wake()
    assert subscriptions.next_frame() is None


async def test_what_the_log_forgot_is_said_to_be_stale(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    subscription = follow(subscriptions, ONE, conversation)
    take_all(subscriptions)
    conversation.say(RUN, text_event("a"))
    conversation.trim()
    with pytest.raises(StaleReading) as stale:
        subscriptions.next_frame()
    assert stale.value.subscription is subscription
    assert subscription.reading is not None
    await subscription.reading.renew()
    subscriptions.mark(subscription)
    text = subscriptions.next_frame()
    assert text is not None
    assert json.loads(text)["events"] == [json.loads(SNAPSHOT)]


async def test_only_who_had_caught_up_can_lag(subscriptions: Subscriptions) -> None:
    conversation = FakeConversation()
    conversation.say(RUN, BIG)
    follow(subscriptions, ONE, conversation)
    assert subscriptions.lag_bytes() == 0
    take_all(subscriptions)
    assert subscriptions.lag_bytes() == 0
    conversation.say(RUN, BIG)
    assert subscriptions.lag_bytes() == len(BIG)
