"""What is promised of questions to a person: asked, found again, waiting, over."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.ledger import SqlToolLedger
from core.clock import SystemClock
from core.errors import NotFound
from core.ids import ConversationId, RunId
from core.ports.asks import Asks
from core.ports.run_store import Ending
from core.ports.tool_ledger import CallFenced
from core.principal import LOCAL
from core.runs import OnBusy, Run, RunStatus
from core.tools import Ask, AskAnswer, AskKind, Decision
from tests.support.attempts import (
    NODE,
    Attempts,
    SqlAttempts,
    answering,
    call_key,
    question_about,
)
from tests.support.sql import STRANGER, run_request

C = ConversationId("c")
PAST = -1


@pytest.fixture
def attempts(database: Database) -> Attempts:
    return SqlAttempts(database)


@pytest.fixture
def asks(database: Database) -> Asks:
    return SqlAsks(database, SystemClock(), NODE)


async def put(asks: Asks, run: Run, question: Ask) -> Ask:
    [recorded] = await asks.ask(run.id, run.fence, [question])
    return recorded


async def test_a_question_is_on_record_as_it_was_asked(attempts: Attempts, asks: Asks) -> None:
    run = await attempts.begin("r1")
    question = question_about(run)

    recorded = await put(asks, run, question)

    assert recorded == replace(question, expires_at=recorded.expires_at)
    assert abs((recorded.expires_at - question.expires_at).total_seconds()) < 5
    assert await asks.of_run(run.id) == {"call-1": [recorded]}
    assert await asks.of_run(RunId("other")) == {}


async def test_a_question_that_is_asked_again_is_the_first_one(
    attempts: Attempts, asks: Asks
) -> None:
    run = await attempts.begin("r1")
    first = await put(asks, run, question_about(run))

    assert await put(asks, await attempts.take_over(run), question_about(run)) == first
    assert await asks.of_run(run.id) == {"call-1": [first]}


async def test_questions_are_returned_in_the_order_in_which_they_are_given(
    attempts: Attempts, asks: Asks
) -> None:
    run = await attempts.begin("r1")
    second = await put(asks, run, question_about(run, "call-2"))
    given = [question_about(run, f"call-{number}") for number in (3, 2, 1)]

    recorded = await asks.ask(run.id, run.fence, given)

    assert [ask.id for ask in recorded] == [given[0].id, second.id, given[2].id]


async def test_questions_of_two_kinds_about_a_call_are_two(attempts: Attempts, asks: Asks) -> None:
    run = await attempts.begin("r1")

    approval = await put(asks, run, question_about(run))
    unknown = await put(asks, run, question_about(run, kind=AskKind.UNKNOWN_OUTCOME))

    assert await asks.of_run(run.id) == {"call-1": [approval, unknown]}


async def test_an_attempt_that_was_replaced_asks_nothing(attempts: Attempts, asks: Asks) -> None:
    run = await attempts.begin("r1")
    await attempts.take_over(run)

    with pytest.raises(CallFenced):
        await put(asks, run, question_about(run))

    assert await asks.of_run(run.id) == {}


async def test_a_question_that_nobody_answered_in_time_is_asked_anew(
    attempts: Attempts, asks: Asks
) -> None:
    run = await attempts.begin("r1")
    expired = await put(asks, run, question_about(run, seconds=PAST))

    anew = await put(asks, run, question_about(run))
    same = await put(asks, run, question_about(run))

    assert anew.id != expired.id
    assert same == anew
    assert await asks.of_run(run.id) == {"call-1": [expired, anew]}


async def test_a_question_of_the_past_can_be_given_again_as_it_was(
    attempts: Attempts, asks: Asks
) -> None:
    run = await attempts.begin("r1")
    expired = await put(asks, run, question_about(run, seconds=PAST))

    anew = await put(asks, run, expired)

    assert anew.id != expired.id
    assert anew == replace(expired, id=anew.id, expires_at=anew.expires_at)


# What follows needs runs that end.


@pytest.fixture
def house(database: Database) -> SqlAttempts:
    return SqlAttempts(database)


@pytest.fixture
def sql_asks(database: Database) -> SqlAsks:
    return SqlAsks(database, SystemClock(), NODE)


async def interrupted(house: SqlAttempts, asks: Asks, name: str = "r1") -> tuple[Run, Ask]:
    """Return a run that has ended with a question."""
    run = await house.begin(name)
    ask = await put(asks, run, question_about(run))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(ask,)))
    return run, ask


async def pending(asks: Asks) -> Sequence[Ask]:
    return await asks.pending(LOCAL, C)


async def test_what_a_run_asked_waits_once_the_run_has_ended_with_it(
    house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    run = await house.begin("r1")
    first = await put(sql_asks, run, question_about(run))
    second = await put(sql_asks, run, question_about(run, "call-2"))
    assert await pending(sql_asks) == []

    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(second, first)))

    assert await pending(sql_asks) == [first, second]
    assert await sql_asks.left_by(run.id) == [first, second]


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.ERROR])
async def test_what_a_run_asked_that_ended_otherwise_waits_for_nobody(
    house: SqlAttempts, sql_asks: SqlAsks, status: RunStatus
) -> None:
    run = await house.begin("r1")
    await put(sql_asks, run, question_about(run))

    await house.end(run, Ending(status))

    assert await pending(sql_asks) == []
    assert await sql_asks.left_by(run.id) == []


async def test_what_has_expired_waits_for_nobody(house: SqlAttempts, sql_asks: SqlAsks) -> None:
    run = await house.begin("r1")
    ask = await put(sql_asks, run, question_about(run, seconds=PAST))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(ask,)))

    assert await pending(sql_asks) == []
    assert await sql_asks.left_by(run.id) == [ask]


async def test_a_later_message_passes_a_question_over(
    house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    await interrupted(house, sql_asks)

    await house.admit(run_request("r2"))

    assert await pending(sql_asks) == []


async def test_a_message_that_waited_while_a_question_was_asked_passes_it_over(
    house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    run = await house.begin("r1")
    await house.admit(run_request("r2", on_busy=OnBusy.QUEUE))
    ask = await put(sql_asks, run, question_about(run))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(ask,)))

    assert await pending(sql_asks) == []


async def test_what_is_answered_waits_no_more_and_is_known_by_what_was_left(
    house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    run, ask = await interrupted(house, sql_asks)

    await house.admit(answering("r2", AskAnswer(ask.id, Decision.REJECTED, comment="No.")))

    decided = replace(ask, decision=Decision.REJECTED, comment="No.")
    assert await pending(sql_asks) == []
    assert await sql_asks.of_run(run.id) == {"call-1": [decided]}
    assert await sql_asks.left_by(run.id) == [decided]


async def test_what_a_run_asks_that_continues_another_is_that_ones(
    house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    first, ask = await interrupted(house, sql_asks)
    run = await house.admit(answering("r2", AskAnswer(ask.id, Decision.APPROVED)))
    second = await put(sql_asks, run, question_about(run, "call-2"))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(second,)))

    assert set(await sql_asks.of_run(first.id)) == {"call-1", "call-2"}
    assert await pending(sql_asks) == [second]
    assert await sql_asks.left_by(first.id) == [replace(ask, decision=Decision.APPROVED)]
    assert await sql_asks.left_by(run.id) == [second]


async def test_whether_a_call_happened_is_asked_again_where_its_repetition_is_lost_too(
    database: Database, house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    ledger = SqlToolLedger(database, SystemClock(), NODE)
    run = await house.begin("r1")
    await ledger.begin(call_key(run))
    first = await put(sql_asks, run, question_about(run, kind=AskKind.UNKNOWN_OUTCOME))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(first,)))
    again = await house.admit(answering("r2", AskAnswer(first.id, Decision.REPEAT)))
    question = question_about(again, kind=AskKind.UNKNOWN_OUTCOME)

    before = await put(sql_asks, again, question)
    await ledger.begin_again(call_key(again))
    after = await put(sql_asks, again, question)

    assert before == replace(first, decision=Decision.REPEAT)
    assert (after.id, after.decision) == (question.id, None)


async def test_only_the_person_is_told_what_waits(house: SqlAttempts, sql_asks: SqlAsks) -> None:
    await interrupted(house, sql_asks)

    with pytest.raises(NotFound):
        await sql_asks.pending(STRANGER, C)
    with pytest.raises(NotFound):
        await sql_asks.pending(LOCAL, ConversationId("other"))


async def test_a_deleted_conversation_takes_its_questions_along(
    database: Database, house: SqlAttempts, sql_asks: SqlAsks
) -> None:
    run, _ = await interrupted(house, sql_asks)

    await SqlConversationStore(database).delete(LOCAL, C)

    assert await sql_asks.of_run(run.id) == {}
