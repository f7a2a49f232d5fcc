"""Follows every connection of a history: what was sent on it must be gapless, once, in order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from scripts.chaos.checker.event_log import EventLogs
from scripts.chaos.checker.transcript import Transcript
from scripts.chaos.checker.violations import Fault, Findings
from scripts.chaos.history import Json, Record


@dataclass(slots=True)
class Stream:
    """One subscription on one connection; next: the number that has to come."""

    epoch: str
    next: int
    needs_snapshot: bool


@dataclass(slots=True)
class View:
    """What one client shows of one conversation, over all its connections.

    resets: how often all of it was replaced because it could not be continued.
    """

    client: str
    conversation: str
    transcript: Transcript = field(default_factory=Transcript)
    epoch: str = ""
    sequence: int = 0
    resets: int = 0


@dataclass(slots=True)
class Asked:
    """A run as its client asked for it.

    sent: when it was first asked for; accepted: when that was first answered.
    resume: the answers it brings; then it has no message.
    """

    run: str
    conversation: str
    message_id: str
    text: str
    sent: float
    resume: Sequence[Json] = ()
    accepted: float | None = None


class Delivery:
    """Reads records in order; afterwards its fields say what the clients had.

    resets: when a client of the conversation was told a snapshot instead of events.
    """

    def __init__(self, findings: Findings) -> None:
        self.logs = EventLogs(findings)
        self.views: dict[tuple[str, str], View] = {}
        self.asked: dict[str, Asked] = {}
        self.left: set[str] = set()
        self.resets: dict[str, list[float]] = defaultdict(list)
        self._findings = findings
        self._streams: dict[tuple[int, str], Stream] = {}
        self._commands: dict[tuple[int, str], Json] = {}
        self._new: set[str] = set()

    def take(self, record: Record) -> None:
        """Take the next record."""
        if record.kind == "sent":
            self._sent(record)
        elif record.kind == "received":
            self._received(record)
        elif record.kind == "left":
            self.left.add(record.client)

    def _sent(self, record: Record) -> None:
        frame = record.frame
        self._commands[record.connection, frame["id"]] = frame
        if frame["type"] == "run":
            asked = _asked(frame, record.t)
            self.asked.setdefault(asked.run, asked)

    def _received(self, record: Record) -> None:
        match record.frame["type"]:
            case "events":
                self._events(record)
            case "subscribed":
                self._subscribed(record)
            case "accepted":
                self._accepted(record)

    def _accepted(self, record: Record) -> None:
        frame = record.frame
        command = self._commands.get((record.connection, frame["id"]), {})
        asked = self.asked.get(frame["run_id"])
        if asked is None or command.get("run_id") != frame["run_id"]:
            self._findings.add(Fault.MISUSED, record.client, str(frame))
            return
        if asked.accepted is None:
            asked.accepted = record.t
        if not frame["duplicate"]:
            if asked.run in self._new:
                self._findings.add(Fault.ACCEPTED_TWICE, asked.run)
            self._new.add(asked.run)

    def _subscribed(self, record: Record) -> None:
        frame, conversation = record.frame, record.frame["conversation_id"]
        command = self._commands.get((record.connection, frame["id"]), {})
        if command.get("type") != "subscribe" or command["conversation_id"] != conversation:
            self._findings.add(Fault.MISUSED, record.client, str(frame))
            return
        after, epoch = command.get("after"), frame["epoch"]
        self._resume_view(record.client, conversation, after, epoch)
        sequence = after["sequence"] if after else 0
        if frame["recovered"] and after and after["epoch"] != epoch:
            self._findings.add(Fault.WRONG_EPOCH, f"{record.client}, {conversation}", str(frame))
        self._streams[record.connection, conversation] = Stream(
            epoch, sequence + 1, needs_snapshot=not frame["recovered"]
        )

    def _resume_view(self, client: str, conversation: str, after: Json | None, epoch: str) -> None:
        view = self.views.get((client, conversation))
        if view is None or after is None:
            self.views[client, conversation] = view = View(client, conversation, epoch=epoch)
        if after and (view.epoch, view.sequence) != (after["epoch"], after["sequence"]):
            detail = f"{after}, having seen {view.sequence} of {view.epoch}"
            self._findings.add(Fault.CURSOR, f"{client}, {conversation}", detail)

    def _events(self, record: Record) -> None:
        conversation = record.frame["conversation_id"]
        where = f"{record.client}, connection {record.connection}, {conversation}"
        stream = self._streams.get((record.connection, conversation))
        if stream is None:
            self._findings.add(Fault.UNASKED, where)
            return
        view = self.views[record.client, conversation]
        if record.frame["run_id"] is None:
            self._replace(stream, view, record, where)
        else:
            self._continue(stream, view, record.frame, where)

    def _replace(self, stream: Stream, view: View, record: Record, where: str) -> None:
        frame = record.frame
        if [event["type"] for event in frame["events"]] != ["MESSAGES_SNAPSHOT"]:
            self._findings.add(Fault.NO_SNAPSHOT, where, "events of no run")
            return
        stream.epoch, stream.next, stream.needs_snapshot = (
            frame["epoch"],
            frame["sequence"] + 1,
            False,
        )
        self.resets[view.conversation].append(record.t)
        if view.sequence:
            view.resets += 1
        view.epoch, view.sequence = frame["epoch"], frame["sequence"]
        view.transcript.apply(frame["events"][0])

    def _continue(self, stream: Stream, view: View, frame: Json, where: str) -> None:
        sequence, epoch, run = frame["sequence"], frame["epoch"], frame["run_id"]
        detail = f"number {sequence} of {epoch}, due {stream.next} of {stream.epoch}"
        if stream.needs_snapshot:
            self._findings.add(Fault.NO_SNAPSHOT, where, detail)
            stream.needs_snapshot = False
        elif epoch != stream.epoch:
            self._findings.add(Fault.WRONG_EPOCH, where, detail)
        elif sequence != stream.next:
            fault = Fault.GAP if sequence > stream.next else Fault.REPEATED
            self._findings.add(fault, where, detail)
        stream.epoch, stream.next = epoch, sequence + len(frame["events"])
        for number, event in enumerate(frame["events"], start=sequence):
            self.logs.add(view.conversation, epoch, number, run, event)
            # What it has, a client ignores.
            if epoch != view.epoch or number > view.sequence:
                view.transcript.apply(event)
                view.epoch, view.sequence = epoch, number


def _asked(frame: Json, t: float) -> Asked:
    asked = frame["input"]
    message = asked["messages"][-1] if asked["messages"] else {"id": "", "content": ""}
    return Asked(
        frame["run_id"],
        frame["conversation_id"],
        message["id"],
        message["content"],
        t,
        asked.get("resume", ()),
    )
