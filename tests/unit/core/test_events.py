"""The events on the wire are AG-UI's."""

import pytest
from ag_ui.core import Event
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core import events

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(message_id=TEXT, delta=TEXT)
def test_the_fast_encoding_of_text_is_the_packages_own(message_id: str, delta: str) -> None:
    whole = events.TextMessageContentEvent(message_id=message_id, delta=delta)

    assert events.TextEvents(message_id).encode(delta) == events.encode(whole)


@pytest.mark.parametrize(
    "event",
    [
        events.RunStartedEvent(thread_id="t", run_id="r"),
        events.CustomEvent(name=events.CITATIONS, value={"messageId": "m", "citations": []}),
        events.MessagesSnapshotEvent(messages=[events.UserMessage(id="m", content="hi")]),
        events.RunFinishedEvent(
            thread_id="t", run_id="r", outcome=events.RunFinishedCancelledOutcome()
        ),
    ],
    ids=lambda event: str(event.type.value),
)
def test_what_is_encoded_is_read_back_by_the_package(event: events.BaseEvent) -> None:
    assert EVENTS.validate_json(events.encode(event)) == event


def test_an_absent_value_is_left_out_and_never_null() -> None:
    assert "null" not in events.encode(events.RunErrorEvent(message="m"))
