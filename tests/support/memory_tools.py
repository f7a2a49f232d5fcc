"""What tools are recorded in and asked through, in memory; the contracts hold them to the SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from core.clock import Clock, SystemClock
from core.conversations import LogMark
from core.errors import NotFound
from core.ids import ConversationId, MessageId, RunId
from core.ports.notes import Note
from core.ports.tool_ledger import CallFenced, CallKey, CallRecord, RecordStatus
from core.principal import LOCAL, Principal
from core.runs import Run, RunStatus, UserMessage
from core.storable_text import storable
from core.tools import Ask, AskKind, Decision


class MemoryAttempts:
    """See `Attempts`."""

    def __init__(self) -> None:
        self._fences: dict[RunId, int] = {}

    async def begin(self, run_id: str, conversation_id: str = "c") -> Run:
        """See `Attempts`."""
        self._fences[RunId(run_id)] = 1
        return Run(
            id=RunId(run_id),
            conversation_id=ConversationId(conversation_id),
            principal=LOCAL,
            status=RunStatus.RUNNING,
            attempt=1,
            message=UserMessage(MessageId(f"m-{run_id}"), "?"),
            message_position=1,
            messages_before=1,
            collection="default",
            created_at=SystemClock().now(),
            log=LogMark("epoch", 0, 0),
            root_id=RunId(run_id),
            fence=1,
        )

    async def take_over(self, run: Run) -> Run:
        """See `Attempts`."""
        self._fences[run.id] += 1
        return replace(run, attempt=run.attempt + 1, fence=self._fences[run.id])

    def check(self, run_id: RunId, fence: int) -> None:
        """Raise `CallFenced` where this attempt does not have the run."""
        if self._fences.get(run_id) != fence:
            raise CallFenced


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call on record. times: how often it was begun."""

    key: CallKey
    status: RecordStatus
    result: str = ""
    times: int = 1


class MemoryToolLedger:
    """See `ToolLedger`. calls: what is on record, by the run it was decided in and its id."""

    def __init__(self, attempts: MemoryAttempts) -> None:
        self._attempts = attempts
        self.calls: dict[tuple[RunId, str], Recorded] = {}

    async def begin(self, key: CallKey) -> CallRecord:
        """See `ToolLedger`."""
        place = self._place(key)
        found = self.calls.get(place)
        if found is None:
            self.calls[place] = Recorded(key, RecordStatus.STARTED)
            return CallRecord(RecordStatus.STARTED, True, key.arguments_hash)
        return CallRecord(found.status, False, found.key.arguments_hash, found.result)

    async def begin_again(self, key: CallKey) -> None:
        """See `ToolLedger`."""
        place = self._place(key)
        times = self.calls[place].times + 1 if place in self.calls else 1
        self.calls[place] = Recorded(key, RecordStatus.STARTED, times=times)

    async def end(self, key: CallKey, status: RecordStatus, result: str) -> None:
        """See `ToolLedger`."""
        place = self._place(key)
        times = self.calls[place].times if place in self.calls else 1
        self.calls[place] = Recorded(key, status, storable(result), times)

    def _place(self, key: CallKey) -> tuple[RunId, str]:
        self._attempts.check(key.run_id, key.fence)
        return key.root_id, key.call_id


@dataclass(frozen=True, slots=True)
class _Asked:
    ask: Ask
    times: int
    waits: timedelta


class MemoryAsks:
    """See `Asks`, but for what becomes of questions that a later message passes over."""

    def __init__(
        self, attempts: MemoryAttempts, ledger: MemoryToolLedger, clock: Clock | None = None
    ) -> None:
        self._attempts = attempts
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._asked: list[_Asked] = []

    async def ask(self, run_id: RunId, fence: int, asks: Sequence[Ask]) -> Sequence[Ask]:
        """See `Asks`."""
        self._attempts.check(run_id, fence)
        return [self._put(ask) for ask in asks]

    async def of_run(self, root_id: RunId) -> Mapping[str, Sequence[Ask]]:
        """See `Asks`."""
        found: dict[str, list[Ask]] = {}
        for asked in self._asked:
            if asked.ask.root_id == root_id:
                found.setdefault(asked.ask.call_id, []).append(asked.ask)
        return found

    async def pending(self, principal: Principal, conversation_id: ConversationId) -> Sequence[Ask]:
        """See `Asks`."""
        found = [one.ask for one in self._asked if one.ask.conversation_id == conversation_id]
        if not found or principal != LOCAL:
            raise NotFound("There is no such conversation.")
        return [ask for ask in found if ask.decision is None and not self._is_expired(ask)]

    def decide(
        self, ask_id: str, decision: Decision, *, edited: str | None = None, comment: str = ""
    ) -> None:
        """Answer a question, as the run that continues does when it is admitted."""
        place = next(n for n, one in enumerate(self._asked) if one.ask.id == ask_id)
        asked = self._asked[place]
        ask = replace(asked.ask, decision=decision, edited=edited, comment=comment)
        self._asked[place] = replace(asked, ask=ask)

    def _put(self, ask: Ask) -> Ask:
        times = self._times(ask)
        same = [one for one in self._asked if _about(one.ask) == _about(ask)]
        if same and self._stands(same[-1], times):
            return same[-1].ask
        now = self._clock.now()
        waits = ask.expires_at - now
        if same and same[-1].ask.id == ask.id:
            waits = same[-1].waits
            ask = replace(ask, id=str(uuid4()), expires_at=now + waits)
        self._asked.append(_Asked(ask, times, waits))
        return ask

    def _times(self, ask: Ask) -> int:
        """Return how often the call was begun, where the question is about that."""
        recorded = self._ledger.calls.get((ask.root_id, ask.call_id))
        return recorded.times if recorded and ask.kind is AskKind.UNKNOWN_OUTCOME else 0

    def _stands(self, asked: _Asked, times: int) -> bool:
        is_open = asked.ask.decision is not None or not self._is_expired(asked.ask)
        return is_open and asked.times == times

    def _is_expired(self, ask: Ask) -> bool:
        return ask.expires_at <= self._clock.now()


def _about(ask: Ask) -> tuple[RunId, str, AskKind]:
    return ask.root_id, ask.call_id, ask.kind


class MemoryNotes:
    """See `Notes`."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._notes: dict[tuple[Principal, str], Note] = {}

    async def save(self, principal: Principal, key: str, text: str) -> Note:
        """See `Notes`."""
        note = Note(f"note-{len(self._notes) + 1}", storable(text), self._clock.now())
        return self._notes.setdefault((principal, key), note)

    async def newest(self, principal: Principal, limit: int) -> Sequence[Note]:
        """See `Notes`."""
        mine = [note for (owner, _), note in self._notes.items() if owner == principal]
        return mine[::-1][:limit]
