"""What the executor promises over crashes, on the real record and the real questions."""

import pytest

from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from app.infra.sql.engine import Database
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.ledger import SqlToolLedger
from app.tools.calls import Answered, CallFacts
from app.tools.executor import Executor
from app.tools.services import ToolServices
from app.tools.tool import ToolContext
from core.clock import SystemClock
from core.runs import Run
from core.tools import Ask, AskAnswer, AskKind, Decision, Effect, Outcome
from tests.support.attempts import NODE, SqlAttempts, answering
from tests.support.tool_house import Word, call, made

SEND = call("send")


class Crashed(BaseException):
    """The node is lost between a call's effect and its record."""


class Mailbox:
    """What was sent; the node is lost after the first so many."""

    def __init__(self, crashes: int = 0) -> None:
        self.sent: list[str] = []
        self._crashes = crashes

    async def send(self, arguments: Word, context: ToolContext) -> str:
        self.sent.append(context.idempotency_key)
        if len(self.sent) <= self._crashes:
            raise Crashed
        return "Sent."


def executor(database: Database, mailbox: Mailbox, **fields: object) -> Executor:
    clock = SystemClock()
    tool = made("send", mailbox.send, effect=Effect.WRITE, **fields)
    breakers = PyBreakers(MemoryCircuits(), failures=5, open_seconds=30)
    ledger, asks = SqlToolLedger(database, clock, NODE), SqlAsks(database, clock, NODE)
    return Executor({"send": tool}, breakers, ledger, asks, ToolServices(clock))


async def came_to(executor: Executor, run: Run) -> Answered | Ask:
    facts = CallFacts(
        run_id=run.id,
        root_id=run.root_id,
        conversation_id=run.conversation_id,
        fence=run.fence,
        principal=run.principal,
        collection=run.collection,
    )
    [came] = await executor.run([SEND], facts, lambda answered: None)
    return came


async def asked(executor: Executor, run: Run) -> Ask:
    came = await came_to(executor, run)
    assert isinstance(came, Ask)
    return came


async def answered(executor: Executor, run: Run) -> Answered:
    came = await came_to(executor, run)
    assert isinstance(came, Answered)
    return came


async def continued(
    attempts: SqlAttempts, run: Run, ask: Ask, decision: Decision, name: str
) -> Run:
    """End the run with its question, and return the one that brings the answer."""
    await attempts.end(run)
    return await attempts.admit(answering(name, AskAnswer(ask.id, decision)))


async def test_an_approved_call_is_made_once_however_often_the_run_is_lost(
    database: Database,
) -> None:
    attempts, mailbox = SqlAttempts(database), Mailbox()
    executing = executor(database, mailbox, needs_approval=True)
    run = await attempts.begin("r1")
    ask = await asked(executing, run)
    assert ask.kind is AskKind.APPROVAL

    again = await attempts.take_over(run)
    assert (await asked(executing, again)).id == ask.id
    run = await continued(attempts, again, ask, Decision.APPROVED, "r2")
    first = await answered(executing, run)
    second = await answered(executing, await attempts.take_over(run))

    assert (first.outcome, first.text, mailbox.sent) == (Outcome.DONE, "Sent.", ["c1"])
    assert second == first


async def test_a_word_to_repeat_a_lost_write_is_good_for_one_repetition(
    database: Database,
) -> None:
    attempts, mailbox = SqlAttempts(database), Mailbox(crashes=2)
    executing = executor(database, mailbox)
    run = await attempts.begin("r1")
    with pytest.raises(Crashed):
        await came_to(executing, run)

    run = await attempts.take_over(run)
    first = await asked(executing, run)
    assert first.kind is AskKind.UNKNOWN_OUTCOME
    run = await continued(attempts, run, first, Decision.REPEAT, "r2")
    with pytest.raises(Crashed):
        await came_to(executing, run)
    run = await attempts.take_over(run)
    second = await asked(executing, run)
    run = await continued(attempts, run, second, Decision.HAPPENED, "r3")

    assert (await answered(executing, run)).outcome is Outcome.DONE
    assert second.id != first.id
    assert mailbox.sent == ["c1", "c1"]
