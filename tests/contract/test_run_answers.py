"""What a run store promises of runs that ask a person, and of those that bring the answers."""

from dataclasses import replace

import pytest

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.tools.asks import SqlAsks
from core.clock import SystemClock
from core.conversations import ToolCall
from core.errors import Conflict, InvalidRequest, NotFound
from core.ids import ConversationId, MessageId, RunId
from core.ports.run_store import Admitted, Ending
from core.principal import LOCAL
from core.runs import Answer, OnBusy, Run, RunRequest, RunStatus
from core.tools import Ask, AskAnswer, AskKind, Decision
from tests.support.attempts import LIMITS, NODE, SqlAttempts, answering, question_about
from tests.support.sql import STRANGER, run_request

C = ConversationId("c")
PAST = -1
EDITED = '{"to": "bob"}'


@pytest.fixture
def house(database: Database) -> SqlAttempts:
    return SqlAttempts(database)


@pytest.fixture
def runs(house: SqlAttempts) -> SqlRunStore:
    return house.runs


@pytest.fixture
def asks(database: Database) -> SqlAsks:
    return SqlAsks(database, SystemClock(), NODE)


@pytest.fixture
def conversations(database: Database) -> SqlConversationStore:
    return SqlConversationStore(database)


async def interrupted(
    house: SqlAttempts,
    asks: SqlAsks,
    *calls: str,
    kind: AskKind = AskKind.APPROVAL,
    seconds: float = 600,
    conversation_id: str = "c",
) -> list[Ask]:
    """Return the questions that a run has ended with, one for each call."""
    run = await house.begin(f"r1-{conversation_id}", conversation_id)
    questions = [question_about(run, call, kind, seconds) for call in calls or ("call-1",)]
    recorded = tuple(await asks.ask(run.id, run.fence, questions))
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=recorded))
    return list(recorded)


async def admit(runs: SqlRunStore, request: RunRequest) -> Admitted:
    return await runs.admit(request, LIMITS, may_start=True)


def approve(ask: Ask) -> AskAnswer:
    return AskAnswer(ask.id, Decision.APPROVED, ask.arguments_hash)


async def found(asks: SqlAsks, ask: Ask) -> Ask:
    by_call = await asks.of_run(ask.root_id)
    return next(one for one in by_call[ask.call_id] if one.id == ask.id)


async def test_a_run_that_brings_an_answer_continues_the_one_that_asked(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks, conversations: SqlConversationStore
) -> None:
    request = replace(run_request("r1", text="Tell Ann."), collection="letters")
    first = await house.admit(request)
    [ask] = await asks.ask(first.id, first.fence, [question_about(first)])
    said = Answer(MessageId("a1"), "", tool_calls=(ToolCall("call-1", "send", "{}", None),))
    await house.end(first, Ending(RunStatus.INTERRUPTED, said, asks=(ask,)))

    run = (await admit(runs, answering("r2", approve(ask)))).run

    assert (run.root_id, run.is_continued, run.status) == (first.id, True, RunStatus.RUNNING)
    assert (run.message, run.collection) == (first.message, "letters")
    assert (run.message_position, run.messages_before) == (1, 2)
    assert await runs.get(LOCAL, run.id) == run
    assert await found(asks, ask) == replace(ask, decision=Decision.APPROVED)
    assert len(await conversations.messages(LOCAL, C)) == 2
    await house.end(run, Ending(RunStatus.DONE, Answer(MessageId("a2"), "Told her.")))
    messages = await conversations.messages(LOCAL, C)
    assert [message.content for message in messages] == ["Tell Ann.", "", "Told her."]
    assert [message.position for message in messages] == [1, 2, 3]


async def test_a_run_that_continues_another_keeps_its_root_however_often(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [first] = await interrupted(house, asks)
    second_run = (await admit(runs, answering("r2", approve(first)))).run
    [second] = await asks.ask(
        second_run.id, second_run.fence, [question_about(second_run, "call-2")]
    )
    await house.end(second_run, Ending(RunStatus.INTERRUPTED, asks=(second,)))

    third = (await admit(runs, answering("r3", approve(second)))).run

    assert third.root_id == first.root_id == second_run.root_id


async def test_answers_are_given_one_by_one(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    one, two, three = await interrupted(house, asks, "call-1", "call-2", "call-3")

    run = (await admit(runs, answering("r2", approve(two)))).run
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(one, three)))
    await admit(runs, answering("r3", approve(three), AskAnswer(one.id, None)))

    decisions = [(await found(asks, ask)).decision for ask in (one, two, three)]
    assert decisions == [Decision.REJECTED, Decision.APPROVED, Decision.APPROVED]


async def test_an_answer_waits_while_its_conversation_is_busy(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    one, two = await interrupted(house, asks, "call-1", "call-2")
    busy = (await admit(runs, answering("r2", approve(one)))).run

    for name, on_busy in (("r3", OnBusy.REJECT), ("r4", OnBusy.INTERRUPT)):
        with pytest.raises(Conflict):
            await admit(runs, answering(name, approve(one), on_busy=on_busy))
    admitted = await admit(runs, answering("r5", approve(two), on_busy=OnBusy.INTERRUPT))

    assert (admitted.run.status, admitted.interrupts) == (RunStatus.QUEUED, None)
    assert (await found(asks, two)).decision is Decision.APPROVED
    await house.end(busy)
    run = await runs.claim()
    assert run is not None
    assert (run.id, run.root_id, run.message_position) == ("r5", one.root_id, 1)
    assert run.message == busy.message


async def test_the_same_run_sent_again_answers_nothing_twice(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks)
    first = await admit(runs, answering("r2", approve(ask)))

    again = await admit(runs, answering("r2", approve(ask)))
    await house.end(first.run, Ending(RunStatus.DONE))
    later = await admit(runs, answering("r2", AskAnswer(ask.id, Decision.REJECTED)))

    assert again.is_duplicate
    assert again.run == first.run
    assert later.is_duplicate
    assert (await found(asks, ask)).decision is Decision.APPROVED


@pytest.mark.parametrize(
    ("kind", "decision", "edited", "kept"),
    [
        (AskKind.APPROVAL, Decision.APPROVED, None, Decision.APPROVED),
        (AskKind.APPROVAL, Decision.EDITED, EDITED, Decision.EDITED),
        (AskKind.APPROVAL, Decision.REJECTED, None, Decision.REJECTED),
        (AskKind.APPROVAL, None, None, Decision.REJECTED),
        (AskKind.UNKNOWN_OUTCOME, Decision.REPEAT, None, Decision.REPEAT),
        (AskKind.UNKNOWN_OUTCOME, Decision.HAPPENED, None, Decision.HAPPENED),
        (AskKind.UNKNOWN_OUTCOME, Decision.SKIP, None, Decision.SKIP),
        (AskKind.UNKNOWN_OUTCOME, None, None, Decision.SKIP),
    ],
)
async def test_every_answer_is_kept_as_it_was_given(
    house: SqlAttempts,
    runs: SqlRunStore,
    asks: SqlAsks,
    kind: AskKind,
    decision: Decision | None,
    edited: str | None,
    kept: Decision,
) -> None:
    [ask] = await interrupted(house, asks, kind=kind)

    await admit(runs, answering("r2", AskAnswer(ask.id, decision, "", edited, "Well\0.")))

    told = replace(ask, decision=kept, edited=edited, comment="Well\ufffd.")
    assert await found(asks, ask) == told


@pytest.mark.parametrize(
    ("kind", "decision", "arguments_hash", "edited"),
    [
        (AskKind.APPROVAL, Decision.REPEAT, "", None),
        (AskKind.UNKNOWN_OUTCOME, Decision.APPROVED, "", None),
        (AskKind.APPROVAL, Decision.APPROVED, "of something else", None),
        (AskKind.APPROVAL, Decision.APPROVED, "", EDITED),
        (AskKind.APPROVAL, Decision.REJECTED, "", EDITED),
        (AskKind.APPROVAL, Decision.EDITED, "", None),
        (AskKind.APPROVAL, Decision.EDITED, "", "[1]"),
        (AskKind.APPROVAL, Decision.EDITED, "", "{"),
        (AskKind.APPROVAL, Decision.EDITED, "", '{"to": "\\ud800"}'),
        (AskKind.UNKNOWN_OUTCOME, Decision.REPEAT, "", EDITED),
        (AskKind.APPROVAL, None, "", EDITED),
    ],
)
async def test_an_answer_that_does_not_fit_changes_nothing(
    house: SqlAttempts,
    runs: SqlRunStore,
    asks: SqlAsks,
    kind: AskKind,
    decision: Decision | None,
    arguments_hash: str,
    edited: str | None,
) -> None:
    other, ask = await interrupted(house, asks, "call-1", "call-2", kind=kind)
    fitting = AskAnswer(other.id, None)
    answer = AskAnswer(ask.id, decision, arguments_hash, edited)

    with pytest.raises(InvalidRequest):
        await admit(runs, answering("r2", fitting, answer))

    assert await asks.pending(LOCAL, C) == [other, ask]
    with pytest.raises(NotFound):
        await runs.get(LOCAL, RunId("r2"))


async def test_a_question_is_answered_once_in_one_request(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks)

    with pytest.raises(InvalidRequest):
        await admit(runs, answering("r2", approve(ask), AskAnswer(ask.id, None)))


async def test_questions_of_two_turns_are_not_answered_together(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [first] = await interrupted(house, asks)
    run = await house.begin("other")
    [second] = await asks.ask(run.id, run.fence, [question_about(run)])
    await house.end(run, Ending(RunStatus.INTERRUPTED, asks=(second,)))

    with pytest.raises(InvalidRequest):
        await admit(runs, answering("r2", approve(first), approve(second)))


async def test_what_is_asked_elsewhere_or_never_was_is_not_found(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks)
    [elsewhere] = await interrupted(house, asks, conversation_id="d")

    for request in (
        answering("r2", AskAnswer("never", None)),
        answering("r2", approve(ask), AskAnswer("never", None)),
        answering("r2", approve(elsewhere)),
        answering("r2", approve(ask), conversation_id="new"),
        answering("r2", approve(ask), principal=STRANGER),
    ):
        with pytest.raises(NotFound):
            await admit(runs, request)

    assert await asks.pending(LOCAL, C) == [ask]


async def test_a_question_that_has_its_answer_takes_no_other(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks)
    run = (await admit(runs, answering("r2", approve(ask)))).run
    await house.end(run)

    with pytest.raises(Conflict):
        await admit(runs, answering("r3", AskAnswer(ask.id, Decision.REJECTED)))

    assert (await found(asks, ask)).decision is Decision.APPROVED


async def test_a_question_that_has_expired_takes_no_answer(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks, seconds=PAST)

    with pytest.raises(Conflict):
        await admit(runs, answering("r2", approve(ask)))


async def test_a_question_that_was_passed_over_takes_no_answer(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    [ask] = await interrupted(house, asks)
    await house.end(await house.admit(run_request("r2")), Ending(RunStatus.DONE))

    with pytest.raises(Conflict):
        await admit(runs, answering("r3", approve(ask)))


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.ERROR])
async def test_a_question_of_a_run_that_did_not_end_with_it_takes_no_answer(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks, status: RunStatus
) -> None:
    run = await house.begin("r1")
    [ask] = await asks.ask(run.id, run.fence, [question_about(run)])

    with pytest.raises(Conflict):
        await admit(runs, answering("r2", approve(ask)))
    await house.end(run, Ending(status))
    with pytest.raises(Conflict):
        await admit(runs, answering("r2", approve(ask)))


async def test_a_question_that_is_still_to_be_told_takes_an_answer(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks
) -> None:
    run = await house.begin("r1")
    [ask] = await asks.ask(run.id, run.fence, [question_about(run)])
    await runs.finish(run, Ending(RunStatus.INTERRUPTED, asks=(ask,)), is_told=False)

    admitted = await admit(runs, answering("r2", approve(ask)))

    assert admitted.run.status is RunStatus.QUEUED
    untold = await house.take_over(run)
    assert (untold.status, untold.fence > run.fence) == (RunStatus.INTERRUPTED, True)
    assert [each.id for each in await asks.left_by(run.id)] == [ask.id]


async def test_a_late_result_is_added_to_the_message_that_asked(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks, conversations: SqlConversationStore
) -> None:
    first = await house.begin("r1")
    [ask] = await asks.ask(first.id, first.fence, [question_about(first)])
    calls = (ToolCall("call-0", "look", "{}", "Seen."), ToolCall("call-1", "send", "{}", None))
    said = Answer(MessageId("a1"), "Let me ask.", tool_calls=calls)
    await house.end(first, Ending(RunStatus.INTERRUPTED, said, asks=(ask,)))
    run = (await admit(runs, answering("r2", approve(ask)))).run

    ending = Ending(
        RunStatus.DONE,
        Answer(MessageId("a2"), "Done.", tool_calls=(ToolCall("call-2", "look", "{}", "Yes."),)),
        late_results={"call-1": "Sent\0.", "no call of these": "?"},
    )
    await house.end(run, ending)

    question, asked, answer = await conversations.messages(LOCAL, C)
    assert asked.tool_calls == (calls[0], replace(calls[1], result="Sent\ufffd."))
    assert asked.content == "Let me ask."
    assert (question.tool_calls, answer.tool_calls[0].result) == ((), "Yes.")


async def test_a_late_result_is_not_added_where_the_run_is_lost(
    house: SqlAttempts, runs: SqlRunStore, asks: SqlAsks, conversations: SqlConversationStore
) -> None:
    first = await house.begin("r1")
    [ask] = await asks.ask(first.id, first.fence, [question_about(first)])
    said = Answer(MessageId("a1"), "", tool_calls=(ToolCall("call-1", "send", "{}", None),))
    await house.end(first, Ending(RunStatus.INTERRUPTED, said, asks=(ask,)))
    run = (await admit(runs, answering("r2", approve(ask)))).run
    await house.take_over(run)

    late = Ending(RunStatus.DONE, late_results={"call-1": "Sent."})

    assert await runs.finish(run, late, is_told=True) is None
    assert (await conversations.messages(LOCAL, C))[1].tool_calls[0].result is None


async def test_whoever_takes_a_run_knows_the_callers_roles(
    house: SqlAttempts, runs: SqlRunStore
) -> None:
    caller = replace(LOCAL, roles=frozenset({"user", "editor"}))
    run = await house.admit(run_request("r1", principal=caller))

    taken = await house.take_over(run)

    assert run.principal.roles == taken.principal.roles == {"user", "editor"}
    assert (await runs.get(LOCAL, run.id)).principal.roles == {"user", "editor"}


async def test_a_caller_with_other_roles_is_the_same_caller(
    house: SqlAttempts, runs: SqlRunStore
) -> None:
    await house.begin("r1")
    promoted = replace(LOCAL, roles=frozenset({"operator"}))

    assert (await admit(runs, run_request("r1", principal=promoted))).is_duplicate


async def test_a_run_that_continues_none_is_its_own_root(house: SqlAttempts) -> None:
    run: Run = await house.begin("r1")

    assert (run.root_id, run.is_continued) == (run.id, False)
