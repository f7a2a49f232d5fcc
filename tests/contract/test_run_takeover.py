"""What a run store promises of runs that lose their node, and of ends that are not told yet."""

import pytest

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.conversations import LogMark
from core.errors import Busy
from core.ids import ConversationId, MessageId
from core.ports.run_store import AdmissionLimits, Ending, Finished
from core.principal import LOCAL
from core.runs import Answer, OnBusy, Run, RunRequest, RunStatus
from tests.support.sql import run_request

LIMITS = AdmissionLimits(queued=10, queued_per_conversation=1)
C = ConversationId("c")
MARK = LogMark("epoch", 7, 2)
# No run is lost while a test looks at it.
LEASE_SECONDS = 60


@pytest.fixture
def runs(database: Database) -> SqlRunStore:
    return SqlRunStore(database, SystemClock(), "node-1", LEASE_SECONDS)


@pytest.fixture
def dying(database: Database) -> SqlRunStore:
    """The store of a node that crashes after every call."""
    return SqlRunStore(database, SystemClock(), "node-0", 0)


@pytest.fixture
def others(database: Database) -> SqlRunStore:
    """The store of a node that takes over."""
    return SqlRunStore(database, SystemClock(), "node-2", LEASE_SECONDS)


@pytest.fixture
def conversations(database: Database) -> SqlConversationStore:
    return SqlConversationStore(database)


async def admit(runs: SqlRunStore, request: RunRequest) -> Run:
    return (await runs.admit(request, LIMITS, may_start=True)).run


async def claimed(runs: SqlRunStore) -> Run:
    run = await runs.claim()
    assert run is not None
    return run


def done(text: str = "Five days.", message_id: str = "answer") -> Ending:
    return Ending(RunStatus.DONE, Answer(MessageId(message_id), text))


async def told(runs: SqlRunStore, run: Run, ending: Ending) -> int | None:
    """End a run whose log goes down with the database; return the transcript's length."""
    finished = await runs.finish(run, ending, is_told=True)
    return None if finished is None else finished.message_count


async def length(conversations: SqlConversationStore) -> int:
    return len(await conversations.messages(LOCAL, C))


async def test_a_run_is_taken_over_from_a_node_that_is_gone_with_its_question_in_place(
    dying: SqlRunStore, others: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = await admit(dying, run_request("r1"))
    await admit(dying, run_request("r2", on_busy=OnBusy.QUEUE))

    again = await claimed(others)

    assert (again.id, again.message_position, again.messages_before) == ("r1", 1, 0)
    assert (again.attempt, again.failures) == (2, 1)
    assert again.fence > first.fence
    assert await length(conversations) == 1
    assert await others.get(LOCAL, again.id) == again


async def test_a_node_that_was_replaced_changes_nothing(
    dying: SqlRunStore, others: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = await admit(dying, run_request("r1"))
    second = await claimed(others)
    before = await conversations.get(LOCAL, C)

    assert await told(dying, first, done("old")) is None
    assert await dying.finish(first, done("old"), is_told=False) is None
    assert not await dying.restart_log(first, MARK)
    assert not await dying.tell(first, MARK)
    await dying.release(first)

    assert await conversations.get(LOCAL, C) == before
    assert await others.get(LOCAL, first.id) == second
    assert await told(others, second, done("new")) == 2


async def test_a_node_that_was_replaced_after_the_end_cannot_tell_it(
    dying: SqlRunStore, others: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = await admit(dying, run_request("r1"))
    await dying.finish(first, done(), is_told=False)
    second = await claimed(others)

    assert not await dying.tell(first, LogMark("zombie", 1, 1))
    await others.tell(second, MARK)

    assert (await conversations.get(LOCAL, C)).log == MARK


async def test_an_end_that_was_not_told_is_given_to_the_next_node(
    dying: SqlRunStore, others: SqlRunStore
) -> None:
    run = await admit(dying, run_request("r1"))
    await dying.finish(run, done(), is_told=False)

    again = await claimed(others)

    assert (again.id, again.status) == (run.id, RunStatus.DONE)
    assert (again.attempt, again.failures) == (1, 0)
    assert again.fence > run.fence
    assert await others.finish(again, done(), is_told=False) == Finished(2, False)
    assert not await others.tell(again, MARK)
    assert await others.claim() is None


async def test_a_conversation_is_free_once_the_end_is_told(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = await admit(runs, run_request("r1"))
    await admit(runs, run_request("r2", on_busy=OnBusy.QUEUE))

    finished = await runs.finish(first, done(), is_told=False)
    assert finished == Finished(message_count=2, has_waiting=True)
    assert await runs.claim() is None

    assert await runs.tell(first, MARK)
    second = await claimed(runs)
    assert (second.id, second.log) == ("r2", MARK)
    assert second.fence > first.fence
    assert await told(runs, second, done("b", "a2")) == 4
    assert (await conversations.get(LOCAL, C)).log == MARK


async def test_a_run_that_goes_on_cannot_be_told(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    run = await admit(runs, run_request("r1"))

    await runs.tell(run, MARK)

    assert (await conversations.get(LOCAL, C)).log == run.log
    assert await told(runs, run, done()) == 2


async def test_ending_and_telling_again_after_a_lost_reply_is_the_same(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    run = await admit(runs, run_request("r1"))
    await admit(runs, run_request("r2", on_busy=OnBusy.QUEUE))

    once = await runs.finish(run, done(), is_told=False)
    assert await runs.finish(run, done(), is_told=False) == once
    assert await length(conversations) == 2

    assert await runs.tell(run, MARK)
    assert await runs.tell(run, LogMark("other", 9, 9))
    assert (await conversations.get(LOCAL, C)).log == MARK


async def test_a_message_is_not_turned_away_while_an_end_is_being_told(
    runs: SqlRunStore,
) -> None:
    first = await admit(runs, run_request("r1"))
    await runs.finish(first, done(), is_told=False)

    admitted = await admit(runs, run_request("r2"))

    assert admitted.status is RunStatus.QUEUED
    with pytest.raises(Busy):
        await admit(runs, run_request("r3"))
    assert await runs.tell(first, MARK)
    assert (await claimed(runs)).id == "r2"


async def test_a_run_that_is_given_away_is_taken_at_once_and_has_not_failed(
    runs: SqlRunStore, others: SqlRunStore
) -> None:
    run = await admit(runs, run_request("r1"))

    await runs.release(run)

    again = await claimed(others)
    assert (again.id, again.attempt, again.failures) == ("r1", 2, 0)
    assert await told(runs, run, done()) is None


async def test_a_node_takes_back_what_it_gave_away(runs: SqlRunStore) -> None:
    run = await admit(runs, run_request("r1"))
    await runs.release(run)

    again = await claimed(runs)

    assert again.fence > run.fence
    assert await told(runs, run, done("old")) is None
    assert not await runs.restart_log(run, MARK)
    assert await told(runs, again, done("new")) == 2


async def test_a_log_that_began_anew_is_on_disk(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    run = await admit(runs, run_request("r1"))

    assert await runs.restart_log(run, MARK)

    assert (await conversations.get(LOCAL, C)).log == MARK
    assert (await runs.get(LOCAL, run.id)).log == MARK
