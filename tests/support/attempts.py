"""Attempts at runs, for what is recorded under them."""

from dataclasses import replace
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.ports.run_store import AdmissionLimits, Ending
from core.ports.tool_ledger import CallKey
from core.principal import LOCAL, Principal
from core.runs import OnBusy, Run, RunRequest, RunStatus
from core.tools import Ask, AskAnswer, AskKind, Effect, arguments_hash
from tests.support.sql import run_request

LIMITS = AdmissionLimits(queued=1000, queued_per_conversation=1000)
NODE = "node-1"
# No run is lost while a test looks at it.
LEASE_SECONDS = 60
ARGUMENTS = '{"to": "ann", "text": "hello"}'


class Attempts(Protocol):
    """Knows which attempt has which run."""

    async def begin(self, run_id: str, conversation_id: str = "c") -> Run:
        """Return a run at its first attempt."""
        ...

    async def take_over(self, run: Run) -> Run:
        """Return a run at its next attempt; the one before has it no more."""
        ...


class SqlAttempts:
    """See `Attempts`; the runs are in a database."""

    def __init__(self, database: Database) -> None:
        self.runs = SqlRunStore(database, SystemClock(), NODE, LEASE_SECONDS)

    async def begin(self, run_id: str, conversation_id: str = "c") -> Run:
        """See `Attempts`."""
        return await self.admit(run_request(run_id, conversation_id))

    async def take_over(self, run: Run) -> Run:
        """See `Attempts`."""
        await self.runs.release(run)
        taken = await self.runs.claim()
        assert taken is not None
        assert taken.id == run.id
        return taken

    async def admit(self, request: RunRequest) -> Run:
        """Return the run of a request."""
        return (await self.runs.admit(request, LIMITS, may_start=True)).run

    async def end(self, run: Run, ending: Ending | None = None) -> None:
        """End a run, as one that asked something unless it is said how."""
        told = ending or Ending(RunStatus.INTERRUPTED)
        assert await self.runs.finish(run, told, is_told=True) is not None


def call_key(run: Run, call_id: str = "call-1", **changes: str) -> CallKey:
    """Return the key of a call that this attempt wants to make."""
    key = CallKey(
        run_id=run.id,
        fence=run.fence,
        root_id=run.root_id,
        conversation_id=run.conversation_id,
        call_id=call_id,
        tool="send_message",
        effect=Effect.WRITE,
        arguments_hash=arguments_hash(ARGUMENTS),
    )
    return replace(key, **changes)  # type: ignore[arg-type]  # fields of text, by name


def question_about(
    run: Run, call_id: str = "call-1", kind: AskKind = AskKind.APPROVAL, seconds: float = 600
) -> Ask:
    """Return a question of a run that waits so long; it is on record nowhere yet."""
    return Ask(
        id=str(uuid4()),
        kind=kind,
        root_id=run.root_id,
        conversation_id=run.conversation_id,
        call_id=call_id,
        tool="send_message",
        arguments=ARGUMENTS,
        arguments_hash=arguments_hash(ARGUMENTS),
        effect=Effect.WRITE,
        expires_at=SystemClock().now() + timedelta(seconds=seconds),
    )


def answering(
    run_id: str,
    *answers: AskAnswer,
    conversation_id: str = "c",
    principal: Principal = LOCAL,
    on_busy: OnBusy = OnBusy.REJECT,
) -> RunRequest:
    """Return a request that answers questions; its message stands for nothing."""
    request = run_request(run_id, conversation_id, text="-", principal=principal, on_busy=on_busy)
    return replace(request, answers=answers)
