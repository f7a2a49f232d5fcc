"""What a run says, as events."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.turns.leftovers import Leftovers
from app.turns.snapshot import snapshot
from app.turns.transcriber import Transcriber
from core.clock import SystemClock
from core.conversations import Citation, LogMark, Message, Role, ToolCall
from core.ids import ConversationId, DocumentId, MessageId, PassageId, RunId
from core.ports.event_log import TakenLog
from core.ports.run_store import Ending
from core.principal import LOCAL
from core.runs import Answer, Run, RunStatus, Usage, UserMessage

ANSWER = MessageId("a")
CITATION = Citation(1, DocumentId("d"), "terms.pdf", PassageId("p"), 2, "five days", 10, 19)


class RecordingLog:
    """An event log that keeps what it is given. See `EventLog`."""

    def __init__(self) -> None:
        self.appends: list[list[dict[str, Any]]] = []

    async def take(self, run: Run, lost: Callable[[], None]) -> TakenLog:
        return TakenLog()

    def append(self, run: Run, events: Sequence[str]) -> int:
        self.appends.append([json.loads(event) for event in events])
        return 0

    async def flushed(self, run: Run, seconds: float) -> bool:
        return True

    def leave(self, run: Run, message_count: int | None = None) -> LogMark | None:
        return None

    def forget(self, conversation_id: ConversationId) -> None:
        return

    @property
    def types(self) -> list[str]:
        return [event["type"] for append in self.appends for event in append]


def encoded(log: RecordingLog) -> list[str]:
    """Return what was said so far, as it is in the log."""
    return [json.dumps(event) for append in log.appends for event in append]


def question() -> Message:
    """Return the stored question."""
    now = SystemClock().now()
    return Message(MessageId("q"), ConversationId("c"), RunId("r"), 1, Role.USER, "How long?", now)


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


@pytest.fixture
def transcriber(log: RecordingLog) -> Transcriber:
    run = Run(
        RunId("r"),
        ConversationId("c"),
        LOCAL,
        RunStatus.RUNNING,
        1,
        UserMessage(MessageId("q"), "How long?"),
        1,
        0,
        "default",
        SystemClock().now(),
        LogMark("e", 0, 0),
        RunId("r"),
        waited_seconds=2.0,
    )
    return Transcriber(log, run, ANSWER)


def test_the_first_event_carries_the_question(transcriber: Transcriber, log: RecordingLog) -> None:
    transcriber.begin()

    [[started]] = log.appends
    assert started["input"]["messages"] == [{"id": "q", "role": "user", "content": "How long?"}]


def test_a_takeover_says_so(transcriber: Transcriber, log: RecordingLog) -> None:
    transcriber.resume(Leftovers(()), ())

    assert log.types == ["RUN_STARTED", "CUSTOM"]
    assert log.appends[0][1]["value"] == {"attempt": 1, "after_seconds": 2.0}


def test_a_takeover_closes_what_was_open_and_takes_back_what_was_said(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.begin()
    transcriber.step_started("writer")
    transcriber.open_message(ANSWER).text("Five da")
    said = encoded(log)
    log.appends.clear()

    transcriber.resume(Leftovers(said), [question()])

    assert log.types == ["CUSTOM", "TEXT_MESSAGE_END", "STEP_FINISHED", "MESSAGES_SNAPSHOT"]
    [resumed] = log.appends
    assert [message["id"] for message in resumed[-1]["messages"]] == ["q"]


def test_an_end_that_was_not_told_is_told_from_what_is_stored(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.begin()
    transcriber.open_message(ANSWER).text("Five da")
    said = encoded(log)
    log.appends.clear()

    transcriber.end_untold(Leftovers(said), [question()], Ending(RunStatus.DONE))

    assert log.types == ["TEXT_MESSAGE_END", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]


def test_an_end_in_a_log_that_begins_anew_is_a_whole_run(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.end_untold(Leftovers(()), [question()], Ending(RunStatus.DONE))

    assert log.types == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]


def test_an_end_that_was_told_is_not_told_twice(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.begin()
    transcriber.end(Ending(RunStatus.DONE))
    said = encoded(log)
    log.appends.clear()

    transcriber.end_untold(Leftovers(said), [question()], Ending(RunStatus.DONE))

    assert log.appends == []


def test_what_arrives_together_is_one_append(transcriber: Transcriber, log: RecordingLog) -> None:
    message = transcriber.open_message(ANSWER)
    message.text("Five")
    message.text(" days")

    assert [[event["type"] for event in append] for append in log.appends] == [
        ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"],
        ["TEXT_MESSAGE_CONTENT"],
    ]


def test_sources_are_named_before_the_message_ends(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    message = transcriber.open_message(ANSWER)
    message.text("Five days [1].")
    message.cite([CITATION])
    message.close()

    assert log.types[-2:] == ["CUSTOM", "TEXT_MESSAGE_END"]
    [custom] = log.appends[-2]
    assert custom["value"]["citations"][0]["quote"] == "five days"


def test_thinking_ends_before_the_answer_begins(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    message = transcriber.open_message(ANSWER)
    message.reasoning("Let me see")
    message.reasoning("...")
    message.text("Five days.")
    message.close()

    assert log.types == [
        "REASONING_START",
        "REASONING_MESSAGE_START",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_END",
        "REASONING_END",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
    ]


def test_whatever_is_open_is_closed_before_the_last_event(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.step_started("retrieval")
    transcriber.step_started("writer")
    transcriber.open_message(ANSWER).text("Half")

    partial = transcriber.partial_answer()
    transcriber.end(Ending(RunStatus.ERROR, partial, "model_unavailable", "It is gone."))

    assert partial == Answer(ANSWER, "Half")
    assert log.types[-4:] == [
        "TEXT_MESSAGE_END",
        "STEP_FINISHED",
        "STEP_FINISHED",
        "RUN_ERROR",
    ]


def test_usage_is_in_the_last_event(transcriber: Transcriber, log: RecordingLog) -> None:
    usage = (Usage("openai", "m", 10, 5),)
    transcriber.end(Ending(RunStatus.DONE, Answer(ANSWER, "x", usage=usage)))

    assert log.appends[-1][0]["usage"] == [
        {"provider": "openai", "model": "m", "inputTokens": 10, "outputTokens": 5}
    ]


def test_an_answer_of_an_earlier_attempt_is_said_once(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    answer = Answer(ANSWER, "Five days [1].", (CITATION,))
    transcriber.complete(answer)
    transcriber.complete(answer)
    transcriber.end(Ending(RunStatus.DONE, answer))

    assert log.types == [
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "CUSTOM",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]


def test_a_tool_call_is_part_of_the_answer_and_told_once(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    for _ in range(2):
        transcriber.tool_called("call", "calculate", '{"expression": "2*3"}')
        transcriber.tool_answered("call", "6")
    transcriber.open_message(ANSWER).text("Six.")

    assert log.types == [
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
    ]
    assert log.appends[0][0]["parentMessageId"] == ANSWER
    kept = transcriber.complete(Answer(ANSWER, "Six."))
    assert kept is not None
    assert kept.tool_calls == (ToolCall("call", "calculate", '{"expression": "2*3"}', "6"),)


def test_a_call_keeps_its_place_in_what_was_said(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.tool_called("first", "look", "{}")
    transcriber.open_message(ANSWER).text("Let me see. 🐕")
    transcriber.tool_called("second", "look", "{}")

    answer = transcriber.partial_answer()

    assert answer is not None
    assert [call.said_before for call in answer.tool_calls] == [0, 13]
    message = replace(
        question(), role=Role.ASSISTANT, content=answer.text, tool_calls=answer.tool_calls
    )
    assert snapshot([message]).messages[0].metadata == {"saidBeforeCalls": {"second": 13}}


def test_an_answer_that_stopped_at_a_tool_keeps_its_call(
    transcriber: Transcriber, log: RecordingLog
) -> None:
    transcriber.tool_called("call", "calculate", "{}")

    assert transcriber.partial_answer() == Answer(
        ANSWER, "", tool_calls=(ToolCall("call", "calculate", "{}", None),)
    )


@pytest.mark.parametrize("text", ["a\0b", "a\ud83db"])
def test_what_no_database_takes_is_not_said(
    transcriber: Transcriber, log: RecordingLog, text: str
) -> None:
    message = transcriber.open_message(ANSWER)
    message.text(text)

    assert log.appends[0][-1]["delta"] == "a\N{REPLACEMENT CHARACTER}b"
    assert message.said == "a\N{REPLACEMENT CHARACTER}b"
