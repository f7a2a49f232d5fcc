"""One client's side of the protocol: what to send after each frame; no socket and no clock."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

from scripts.chaos.history import Json

_LAST_EVENTS = ("RUN_FINISHED", "RUN_ERROR")


@dataclass(slots=True)
class Ask:
    """A run that the client asked for.

    resume: where it brings answers to questions; then there is no message.
    interrupts: the questions it ended with.
    refusal: the code of an error after which it is not asked for again.
    """

    run_id: str
    message_id: str
    text: str
    on_busy: str = "reject"
    resume: Sequence[Json] = ()
    interrupts: Sequence[Json] = ()
    is_sent: bool = False
    is_accepted: bool = False
    has_ended: bool = False
    refusal: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.has_ended or self.refusal is not None


@dataclass(slots=True)
class Talk:
    """A client that follows one conversation and asks in it; over many connections.

    exists: whether the conversation is there to be subscribed to.
    epoch, sequence: the last event it has.
    pause: seconds after which what was refused for now is to be asked again.
    return_after: what a node that goes away asked for.
    """

    conversation_id: str
    exists: bool = False
    epoch: str = ""
    sequence: int = 0
    is_welcome: bool = False
    is_live: bool = False
    caught_up_at: int = -1
    pause: float | None = None
    return_after: float | None = None
    asks: dict[str, Ask] = field(default_factory=dict)
    cancels: list[str] = field(default_factory=list)
    _caught_up_in: str = ""
    _commands: Iterator[int] = field(default_factory=lambda: count(1))
    _pending: dict[str, Json] = field(default_factory=dict)

    @property
    def has_all(self) -> bool:
        """Whether it has at least all that was there when it subscribed."""
        return self.is_live and self.sequence >= self.caught_up_at

    def opened(self) -> list[str]:
        """Return what a new connection begins with."""
        self.is_welcome = self.is_live = False
        self.return_after = self.pause = None
        self._pending.clear()
        for ask in self.asks.values():
            ask.is_sent = False
        return [self._command({"type": "hello", "protocol": 1})]

    def owed(self) -> list[str]:
        """Return what is to be sent now."""
        if not self.is_welcome or self.pause is not None:
            return []
        frames = list(self._owed_subscription())
        for ask in self.asks.values():
            if not ask.is_sent and not ask.is_accepted and not ask.is_over:
                ask.is_sent = True
                frames.append(self._command(self._run(ask)))
        while self.cancels:
            frames.append(self._command({"type": "cancel", "run_id": self.cancels.pop()}))
        return frames

    def heard(self, frame: Json) -> list[str]:
        """Take a frame and return what is to be sent because of it."""
        match frame["type"]:
            case "events":
                return self._take_events(frame)
            case "going_away":
                self.return_after = float(frame["retry_after_seconds"])
            case "welcome" | "subscribed" | "accepted" | "error":
                command = self._pending.pop(frame.get("id", ""), {})
                self._take_answer(frame, command)
        return self.owed()

    def retry(self) -> list[str]:
        """Return what was refused for now, once its pause is over."""
        self.pause = None
        return self.owed()

    def _owed_subscription(self) -> Iterable[str]:
        subscribes = any(each["type"] == "subscribe" for each in self._pending.values())
        if not self.exists or self.is_live or subscribes:
            return
        command: Json = {"type": "subscribe", "conversation_id": self.conversation_id}
        if self.epoch:
            command["after"] = {"epoch": self.epoch, "sequence": self.sequence}
        yield self._command(command)

    def _run(self, ask: Ask) -> Json:
        message = {"id": ask.message_id, "role": "user", "content": ask.text}
        answers = {"messages": [], "resume": list(ask.resume)}
        return {
            "type": "run",
            "run_id": ask.run_id,
            "conversation_id": self.conversation_id,
            "on_busy": ask.on_busy,
            "input": answers if ask.resume else {"messages": [message]},
        }

    def _command(self, command: Json) -> str:
        command["id"] = str(next(self._commands))
        self._pending[command["id"]] = command
        return json.dumps(command)

    def _take_answer(self, frame: Json, command: Json) -> None:
        match frame["type"]:
            case "welcome":
                self.is_welcome = True
            case "subscribed":
                self.is_live = True
                self.caught_up_at, self._caught_up_in = frame["sequence"], frame["epoch"]
                if not self.epoch:
                    self.epoch = frame["epoch"]
            case "accepted":
                self.asks[frame["run_id"]].is_accepted = True
                self.exists = True
            case "error":
                self._take_error(frame, command)

    def _take_error(self, frame: Json, command: Json) -> None:
        can_retry = frame["retryable"]
        if can_retry:
            self.pause = frame.get("retry_after_seconds") or 1.0
        ask = self.asks.get(command.get("run_id", ""))
        if command.get("type") == "run" and ask is not None:
            ask.is_sent = False
            ask.refusal = None if can_retry else frame["code"]
        elif command.get("type") == "subscribe" and not can_retry:
            self.exists = False
        elif command.get("type") == "cancel" and can_retry:
            self.cancels.append(command["run_id"])

    def _take_events(self, frame: Json) -> list[str]:
        events, sequence, epoch = frame["events"], frame["sequence"], frame["epoch"]
        if frame["run_id"] is None:
            self.epoch, self.sequence = epoch, sequence
            if epoch != self._caught_up_in:
                # Another log has numbers of its own.
                self.caught_up_at = sequence
            self._end_answered(events[0]["messages"])
            return []
        if epoch != self.epoch or sequence > self.sequence + 1:
            # Something is missing: never guess, ask again from the cursor.
            self.is_live = False
            return self.owed()
        last = sequence + len(events) - 1
        if last > self.sequence:
            self.sequence = last
            ask = self.asks.get(frame["run_id"])
            if ask is not None and events[-1]["type"] in _LAST_EVENTS:
                ask.has_ended = True
                ask.interrupts = (events[-1].get("outcome") or {}).get("interrupts", ())
        return []

    def _end_answered(self, messages: list[Json]) -> None:
        """Note the runs whose end a snapshot tells: an answer follows the question."""
        answered = {
            question["id"]
            for question, answer in pairwise(messages)
            if answer["role"] == "assistant"
        }
        for ask in self.asks.values():
            if ask.message_id in answered:
                ask.has_ended = True
