"""Makes histories that a faultless server would leave behind, and what its database would say."""

import random
from dataclasses import dataclass, field
from uuid import UUID

from scripts.chaos.checker.stored import Stored, StoredMessage, StoredRun
from scripts.chaos.checker.transcript import Shown, Tool
from scripts.chaos.history import Json

CITATION = {"number": 1, "document_name": "sea.md", "quote": "the sea"}


@dataclass(slots=True)
class Reader:
    """One client of the conversation; connection: 0 while it has none."""

    name: str
    connection: int = 0
    epoch: str = ""
    sequence: int = 0


@dataclass(slots=True)
class Story:
    """One conversation of a faultless server and its readers; `lines` is the history.

    Everything that a server may do happens by chance: frames of any size, lost connections,
    takeovers within an epoch and with a new one, trimmed logs, tools, citations, errors.
    """

    chance: random.Random
    lines: list[Json] = field(default_factory=list)
    runs: list[StoredRun] = field(default_factory=list)
    messages: list[StoredMessage] = field(default_factory=list)
    conversation: str = ""
    _readers: list[Reader] = field(default_factory=list)
    _log: list[tuple[str, Json]] = field(default_factory=list)
    _epoch: str = "epoch-1"
    _base: int = 0
    _base_messages: int = 0
    _connections: int = 0
    _commands: int = 0

    def __post_init__(self) -> None:
        self.conversation = self._id()
        self._readers = [Reader("one"), Reader("two")]

    @property
    def stored(self) -> Stored:
        """What the database says."""
        return Stored(self.runs, {self.conversation: self.messages})

    def tell(self, runs: int, *, zombie: bool = False, ends: int = 1, mixes: bool = False) -> None:
        """Ask and answer; then every reader has everything.

        zombie, ends, mixes: what a faulty server would do, in its last run and to all readers.
        """
        for number in range(1, runs + 1):
            is_last = number == runs
            attempts = self.chance.choice((1, 1, 2, 3)) if not (zombie and is_last) else 2
            faulty = {"zombie": zombie, "ends": ends, "mixes": mixes} if is_last else {}
            self._run(attempts, **faulty)  # type: ignore[arg-type]
        for reader in self._readers:
            self._connect(reader)

    def _run(self, attempts: int, zombie: bool = False, ends: int = 1, mixes: bool = False) -> None:
        run, question = self._id(), self._id()
        self._ask(run, question)
        self.messages.append(self._message(Shown(question, "user", self._text(run)), run))
        dead = ""
        for attempt in range(1, attempts + 1):
            answer = Shown(self._id(), "assistant")
            self._start(run, question, attempt, keeps_epoch=zombie)
            if attempt < attempts:
                dead = answer.id
                self._speak(run, answer, whole=False)
        if zombie:
            late = {"type": "TEXT_MESSAGE_CONTENT", "messageId": dead, "delta": "late "}
            self._append(run, [late])
        self._speak(run, answer, whole=True, mixes=mixes)
        is_error = self.chance.random() < 0.2
        status, code = ("error", "internal") if is_error else ("done", None)
        self.messages.append(self._message(answer, run))
        self.runs.append(
            StoredRun(run, self.conversation, status, attempts, question, self._text(run), code)
        )
        for _ in range(ends):
            self._append(run, [self._last_event(run, code)])
        if self.chance.random() < 0.3 and not zombie and ends == 1:
            self._base, self._base_messages = self._head, len(self.messages)

    def _ask(self, run: str, question: str) -> None:
        for reader in self._readers:
            if not reader.connection:
                self._connect(reader, exists=bool(self.runs))
        reader = self.chance.choice(self._readers)
        messages = [{"id": question, "role": "user", "content": self._text(run)}]
        command = {"type": "run", "run_id": run, "input": {"messages": messages}}
        for is_duplicate in (False, True)[: self.chance.choice((1, 1, 2))]:
            key = self._send(reader, {**command, "conversation_id": self.conversation})
            answer = {"type": "accepted", "id": key, "run_id": run, "duplicate": is_duplicate}
            self._receive(reader, {**answer, "conversation_id": self.conversation})
        for reader in self._readers:
            if not reader.epoch:
                self._subscribe(reader)

    def _start(self, run: str, question: str, attempt: int, *, keeps_epoch: bool) -> None:
        asked = {"messages": [{"id": question, "role": "user", "content": self._text(run)}]}
        events: list[Json] = [{"type": "RUN_STARTED", "runId": run, "input": asked}]
        if attempt > 1:
            value = {"attempt": attempt, "after_seconds": 4.0}
            events.append({"type": "CUSTOM", "name": "run.resumed", "value": value})
            if self.chance.random() < 0.3 and not keeps_epoch:
                self._begin_epoch()
            else:
                events.append(self._snapshot(len(self.messages)))
        self._append(run, events)

    def _begin_epoch(self) -> None:
        self._base, self._base_messages = max(1, self._head), len(self.messages)
        self._epoch = f"epoch-{self._id()}"
        self._log = [("", {})] * self._base
        for reader in self._readers:
            if reader.connection:
                self._replace(reader)

    def _speak(self, run: str, answer: Shown, *, whole: bool, mixes: bool = False) -> None:
        if self.chance.random() < 0.4:
            self._use_tool(run, answer)
        start = {"type": "TEXT_MESSAGE_START", "messageId": answer.id, "role": "assistant"}
        self._append(run, [start])
        voice = self.chance.randrange(1, 1000)
        for number in range(1, self.chance.randrange(2, 8)):
            is_other = mixes and number == 1
            delta = f"request{voice + is_other}-word{number} "
            answer.content += delta
            key = answer.id
            self._append(run, [{"type": "TEXT_MESSAGE_CONTENT", "messageId": key, "delta": delta}])
        if mixes:
            delta = f"request{voice}-word{number + 1} "
            answer.content += delta
            key = answer.id
            self._append(run, [{"type": "TEXT_MESSAGE_CONTENT", "messageId": key, "delta": delta}])
        if whole:
            answer.citations = [CITATION]
            value = {"messageId": answer.id, "citations": [CITATION]}
            cited = {"type": "CUSTOM", "name": "citations", "value": value}
            self._append(run, [cited, {"type": "TEXT_MESSAGE_END", "messageId": answer.id}])

    def _use_tool(self, run: str, answer: Shown) -> None:
        call = Tool(self._id(), "calculate", '{"expression": "6*7"}', "42")
        answer.tools.append(call)
        start = {"toolCallId": call.id, "toolCallName": call.name, "parentMessageId": answer.id}
        self._append(
            run,
            [
                {"type": "TOOL_CALL_START", **start},
                {"type": "TOOL_CALL_ARGS", "toolCallId": call.id, "delta": call.arguments},
                {"type": "TOOL_CALL_END", "toolCallId": call.id},
                {"type": "TOOL_CALL_RESULT", "toolCallId": call.id, "content": call.result},
            ],
        )

    def _last_event(self, run: str, code: str | None) -> Json:
        if code:
            return {"type": "RUN_ERROR", "message": "It failed.", "code": code}
        return {"type": "RUN_FINISHED", "runId": run, "outcome": {"type": "success"}}

    @property
    def _head(self) -> int:
        return len(self._log)

    def _append(self, run: str, events: list[Json]) -> None:
        self._log += [(run, event) for event in events]
        for reader in self._readers:
            if reader.connection and self.chance.random() < 0.1:
                self._write({"kind": "closed", "code": 1006}, reader)
                reader.connection = 0
            elif not reader.connection and reader.epoch and self.chance.random() < 0.2:
                self._connect(reader)
            elif reader.connection and self.chance.random() < 0.7:
                self._catch_up(reader)

    def _catch_up(self, reader: Reader) -> None:
        while reader.sequence < self._head:
            run = self._log[reader.sequence][0]
            events: list[Json] = []
            for owner, event in self._log[reader.sequence : reader.sequence + 4]:
                if owner != run:
                    break
                events.append(event)
            self._receive(reader, self._frame(run, reader.sequence + 1, events))
            reader.sequence += len(events)

    def _connect(self, reader: Reader, *, exists: bool = True) -> None:
        if not reader.connection:
            self._connections += 1
            reader.connection = self._connections
            self._write({"kind": "opened", "url": "ws://node"}, reader)
            key = self._send(reader, {"type": "hello", "protocol": 1})
            self._receive(reader, {"type": "welcome", "id": key})
            if exists:
                self._subscribe(reader)
        if exists:
            self._catch_up(reader)

    def _subscribe(self, reader: Reader) -> None:
        command: Json = {"type": "subscribe", "conversation_id": self.conversation}
        if reader.epoch:
            command["after"] = {"epoch": reader.epoch, "sequence": reader.sequence}
        key = self._send(reader, command)
        epoch = reader.epoch or self._epoch
        recovered = epoch == self._epoch and self._base <= reader.sequence
        answer = {"type": "subscribed", "id": key, "conversation_id": self.conversation}
        place = {"epoch": self._epoch, "sequence": self._head, "recovered": recovered}
        self._receive(reader, {**answer, **place})
        reader.epoch = self._epoch
        if not recovered:
            self._replace(reader)

    def _replace(self, reader: Reader) -> None:
        snapshot = self._snapshot(self._base_messages)
        self._receive(reader, self._frame(None, self._base, [snapshot]))
        reader.epoch, reader.sequence = self._epoch, self._base

    def _frame(self, run: str | None, sequence: int, events: list[Json]) -> Json:
        place = {"epoch": self._epoch, "sequence": sequence, "events": events}
        return {"type": "events", "conversation_id": self.conversation, "run_id": run, **place}

    def _snapshot(self, count: int) -> Json:
        told: list[Json] = []
        for message in self.messages[:count]:
            shown = message.shown
            calls = [
                {"id": tool.id, "function": {"name": tool.name, "arguments": tool.arguments}}
                for tool in shown.tools
            ]
            row: Json = {"id": shown.id, "role": shown.role, "content": shown.content}
            told.append({**row, "toolCalls": calls, "metadata": {"citations": shown.citations}})
            told += [
                {
                    "id": f"{tool.id}-r",
                    "role": "tool",
                    "toolCallId": tool.id,
                    "content": tool.result,
                }
                for tool in shown.tools
                if tool.result is not None
            ]
        return {"type": "MESSAGES_SNAPSHOT", "messages": told}

    def _message(self, shown: Shown, run: str) -> StoredMessage:
        return StoredMessage(shown, run, len(self.messages) + 1)

    def _send(self, reader: Reader, frame: Json) -> str:
        self._commands += 1
        self._write({"kind": "sent", "frame": {**frame, "id": str(self._commands)}}, reader)
        return str(self._commands)

    def _receive(self, reader: Reader, frame: Json) -> None:
        self._write({"kind": "received", "frame": frame}, reader)

    def _write(self, line: Json, reader: Reader) -> None:
        place = {"t": float(len(self.lines)), "client": reader.name}
        self.lines.append({**place, "connection": reader.connection, **line})

    def _text(self, run: str) -> str:
        return f"ask {run}"

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128)))


def told(seed: int, runs: int = 3, **faults: bool | int) -> Story:
    """Return a story; the same one for the same seed."""
    story = Story(random.Random(seed))
    story.tell(runs, **faults)  # type: ignore[arg-type]
    return story
