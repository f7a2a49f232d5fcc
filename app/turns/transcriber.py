"""Turns what a run says into events of its conversation's log."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import structlog
from pydantic import JsonValue

from app.turns.interrupts import interrupt_of
from app.turns.leftovers import Leftovers
from app.turns.message_transcriber import MessageTranscriber
from app.turns.snapshot import snapshot, tool_message_id
from core import events
from core.conversations import Message, ToolCall
from core.ids import MessageId
from core.ports.event_log import EventLog
from core.ports.run_store import Ending
from core.runs import Answer, Run, RunStatus, Usage

log = structlog.get_logger(__name__)


class Transcriber:
    """See `RunSink`. Also says how the run begins and ends.

    answer_id: the id of the message that the tool calls and the text are part of.

    earlier: calls that are a part of an earlier message, by id: this run continues the one that
        asked for them, and may bring their results.
    late_results: what such calls gave back in this run, by id.

    Whatever is still open when a run ends is closed first, so that every stream is one that an
    AG-UI client accepts.
    """

    def __init__(
        self,
        log: EventLog,
        run: Run,
        answer_id: MessageId,
        earlier: Mapping[str, ToolCall] | None = None,
    ) -> None:
        self._log = log
        self._run = run
        self.answer_id = answer_id
        self.late_results: dict[str, str] = {}
        self._earlier = earlier or {}
        self._tool_calls: dict[str, ToolCall] = {}
        self._open_steps: list[str] = []
        self._message: MessageTranscriber | None = None

    def begin(self) -> None:
        """Say that the run starts."""
        self._say(run_started(self._run))

    def resume(self, before: Leftovers, messages: Sequence[Message]) -> None:
        """Say that another attempt has the run, and take back what the one before it said.

        messages: the transcript as it is stored.
        """
        run = self._run
        value = {"attempt": run.attempt, "after_seconds": round(run.waited_seconds, 3)}
        resumed = events.CustomEvent(name=events.RUN_RESUMED, value=value)
        if not before.is_begun:
            self._say(run_started(run), resumed)
            return
        self._say(resumed, *before.closings(), snapshot(messages))

    def end_untold(self, before: Leftovers, messages: Sequence[Message], ending: Ending) -> None:
        """Say how a run ended whose node was lost before it could."""
        if before.has_ended:
            return
        first = () if before.is_begun else (run_started(self._run),)
        last = last_event(self._run, ending)
        self._say(*first, *before.closings(), snapshot(messages), last)

    def step_started(self, name: str) -> None:
        """See `RunSink`."""
        self._open_steps.append(name)
        self._say(events.StepStartedEvent(step_name=name))

    def step_finished(self, name: str) -> None:
        """See `RunSink`."""
        if name in self._open_steps:
            self._open_steps.remove(name)
            self._say(events.StepFinishedEvent(step_name=name))

    def open_message(self, message_id: MessageId) -> MessageTranscriber:
        """See `RunSink`."""
        if self._message is None or self._message.id != message_id:
            self._message = MessageTranscriber(message_id, self._append)
        return self._message

    def tool_called(self, call_id: str, name: str, arguments: str) -> None:
        """See `RunSink`. A call is told once, as a part of the answer's message."""
        if call_id in self._tool_calls or call_id in self._earlier:
            return
        said_before = len(self._message.said) if self._message else 0
        self._tool_calls[call_id] = ToolCall(call_id, name, arguments, None, said_before)
        self._say(
            events.ToolCallStartEvent(
                tool_call_id=call_id, tool_call_name=name, parent_message_id=self.answer_id
            ),
            events.ToolCallArgsEvent(tool_call_id=call_id, delta=arguments),
            events.ToolCallEndEvent(tool_call_id=call_id),
        )

    def tool_answered(self, call_id: str, content: str) -> None:
        """See `RunSink`. A result is told once."""
        if not self._takes_result(call_id, content):
            return
        self._say(
            events.ToolCallResultEvent(
                message_id=tool_message_id(call_id), tool_call_id=call_id, content=content
            )
        )

    def notice(self, name: str, value: Mapping[str, JsonValue]) -> None:
        """See `RunSink`."""
        self._say(events.CustomEvent(name=name, value=dict(value)))

    def complete(self, answer: Answer) -> Answer | None:
        """Return the answer with its tool calls; None where nothing was said.

        One that an attempt before this had finished is said now.
        """
        message = self.open_message(self.answer_id)
        if not message.said:
            message.text(answer.text)
            message.cite(answer.citations)
        calls = tuple(self._tool_calls.values())
        if not answer.text and not calls:
            return None
        return replace(answer, message_id=self.answer_id, tool_calls=calls)

    def partial_answer(self, usage: tuple[Usage, ...] = ()) -> Answer | None:
        """Close what is open and return what was said so far; None where nothing was."""
        self._close_open()
        text = self._message.said if self._message else ""
        citations = self._message.citations if self._message else ()
        calls = tuple(self._tool_calls.values())
        if not text and not calls:
            return None
        return Answer(self.answer_id, text, citations, usage, calls)

    def end(self, ending: Ending) -> None:
        """Say the run's last event."""
        self._close_open()
        self._say(last_event(self._run, ending))

    def _takes_result(self, call_id: str, content: str) -> bool:
        """Keep a result where it belongs; False where it is there already."""
        if call_id in self._earlier:
            if self._earlier[call_id].result is not None or call_id in self.late_results:
                return False
            self.late_results[call_id] = content
            return True
        call = self._tool_calls[call_id]
        if call.result is not None:
            return False
        self._tool_calls[call_id] = replace(call, result=content)
        return True

    def _close_open(self) -> None:
        if self._message is not None:
            self._message.close()
        for name in reversed(self._open_steps):
            self._say(events.StepFinishedEvent(step_name=name))
        self._open_steps.clear()

    def _say(self, *said: events.BaseEvent) -> None:
        self._append([events.encode(event) for event in said])

    def _append(self, encoded: Sequence[str]) -> None:
        # The conversation may be deleted while it is being answered, or another attempt have the
        # run: nobody is left to tell, and the run is being stopped.
        try:
            self._log.append(self._run, encoded)
        except KeyError:
            log.info("run.unheard", run_id=self._run.id)


def run_started(run: Run) -> events.RunStartedEvent:
    """Return a run's first event; it carries the question."""
    question = events.UserMessage(id=run.message.id, content=run.message.content)
    return events.RunStartedEvent(
        thread_id=run.conversation_id,
        run_id=run.id,
        input=events.RunAgentInput(
            thread_id=run.conversation_id, run_id=run.id, messages=[question]
        ),
    )


def last_event(run: Run, ending: Ending) -> events.BaseEvent:
    """Return a run's last event."""
    usage = _usage(ending.answer.usage if ending.answer else ())
    if ending.status is RunStatus.ERROR:
        message = ending.error_message or "The run failed."
        return events.RunErrorEvent(message=message, code=ending.error_code, usage=usage)
    return events.RunFinishedEvent(
        thread_id=run.conversation_id,
        run_id=run.id,
        outcome=_outcome(ending),
        usage=usage,
    )


def _outcome(
    ending: Ending,
) -> (
    events.RunFinishedCancelledOutcome
    | events.RunFinishedInterruptOutcome
    | events.RunFinishedSuccessOutcome
):
    if ending.status is RunStatus.CANCELLED:
        return events.RunFinishedCancelledOutcome()
    if ending.asks:
        interrupts = [interrupt_of(ask) for ask in ending.asks]
        return events.RunFinishedInterruptOutcome(interrupts=interrupts)
    return events.RunFinishedSuccessOutcome()


def _usage(usage: Sequence[Usage]) -> list[events.TokenUsage] | None:
    return [events.TokenUsage(**asdict(part)) for part in usage] or None
