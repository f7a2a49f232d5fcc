"""What an abandoned attempt leaves open."""

import pytest

from app.turns.leftovers import Leftovers
from core import events

OPENERS: list[tuple[events.BaseEvent, events.BaseEvent]] = [
    (events.StepStartedEvent(step_name="writer"), events.StepFinishedEvent(step_name="writer")),
    (
        events.TextMessageStartEvent(message_id="m", role="assistant"),
        events.TextMessageEndEvent(message_id="m"),
    ),
    (events.ReasoningStartEvent(message_id="m"), events.ReasoningEndEvent(message_id="m")),
    (
        events.ReasoningMessageStartEvent(message_id="m", role="reasoning"),
        events.ReasoningMessageEndEvent(message_id="m"),
    ),
    (
        events.ToolCallStartEvent(tool_call_id="t", tool_call_name="calculate"),
        events.ToolCallEndEvent(tool_call_id="t"),
    ),
]


def leftovers(*said: events.BaseEvent) -> Leftovers:
    return Leftovers(events.encode(event) for event in said)


@pytest.mark.parametrize(("opening", "closing"), OPENERS)
def test_whatever_is_open_is_closed(opening: events.BaseEvent, closing: events.BaseEvent) -> None:
    assert leftovers(opening).closings() == (closing,)


@pytest.mark.parametrize(("opening", "closing"), OPENERS)
def test_what_was_closed_stays_closed(opening: events.BaseEvent, closing: events.BaseEvent) -> None:
    assert leftovers(opening, closing).closings() == ()


def test_the_last_opened_is_closed_first() -> None:
    opened = [opening for opening, _ in OPENERS]
    assert leftovers(*opened).closings() == tuple(reversed([closing for _, closing in OPENERS]))


def test_nothing_said_is_not_begun() -> None:
    assert not leftovers().is_begun
    assert leftovers(events.StepStartedEvent(step_name="writer")).is_begun


def test_the_last_event_ends_the_run() -> None:
    assert leftovers(events.RunErrorEvent(message="no", code="internal")).has_ended
    assert not leftovers(events.StepStartedEvent(step_name="writer")).has_ended
