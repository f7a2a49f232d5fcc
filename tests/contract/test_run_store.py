"""What a run store promises, on a real database."""

import pytest

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.conversations import LogMark, Role
from core.errors import Busy, Conflict, NotFound
from core.ids import ConversationId, MessageId, RunId
from core.ports.run_store import AdmissionLimits, Admitted, Ending
from core.principal import LOCAL
from core.runs import Answer, OnBusy, Run, RunRequest, RunStatus
from tests.support.sql import STRANGER, run_request

LIMITS = AdmissionLimits(queued=3, queued_per_conversation=2)
C = ConversationId("c")
MARK = LogMark("epoch", 7, 2)
# No run is lost while a test looks at it.
LEASE_SECONDS = 60


@pytest.fixture
def runs(database: Database) -> SqlRunStore:
    return SqlRunStore(database, SystemClock(), "node-1", LEASE_SECONDS)


@pytest.fixture
def conversations(database: Database) -> SqlConversationStore:
    return SqlConversationStore(database)


async def admit(runs: SqlRunStore, request: RunRequest, *, may_start: bool = True) -> Admitted:
    return await runs.admit(request, LIMITS, may_start=may_start)


async def told(runs: SqlRunStore, run: Run, ending: Ending) -> int | None:
    """End a run whose log goes down with the database; return the transcript's length."""
    finished = await runs.finish(run, ending, is_told=True)
    return None if finished is None else finished.message_count


def done(text: str = "Five days.", message_id: str = "answer") -> Ending:
    return Ending(RunStatus.DONE, answer(text, message_id))


def answer(text: str = "Five days.", message_id: str = "answer") -> Answer:
    return Answer(MessageId(message_id), text)


async def transcript(conversations: SqlConversationStore) -> list[tuple[int, Role, str]]:
    messages = await conversations.messages(LOCAL, C)
    return [(message.position, message.role, message.content) for message in messages]


async def test_the_first_run_brings_its_conversation_into_being(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    admitted = await admit(runs, run_request("r1"))

    assert admitted.run.status is RunStatus.RUNNING
    assert (admitted.run.attempt, admitted.run.message_position) == (1, 1)
    assert (await conversations.get(LOCAL, C)).title == "How long do refunds take?"
    assert await transcript(conversations) == [(1, Role.USER, "How long do refunds take?")]


async def test_what_admission_returns_is_what_is_on_disk(runs: SqlRunStore) -> None:
    admitted = await admit(runs, run_request("r1"))

    assert await runs.get(LOCAL, RunId("r1")) == admitted.run


async def test_the_same_run_twice_is_one(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    await admit(runs, run_request("r1"))

    again = await admit(runs, run_request("r1", text="something else"))

    assert again.is_duplicate
    assert again.run.message.content == "How long do refunds take?"
    assert len(await transcript(conversations)) == 1


async def test_a_finished_run_sent_again_is_not_busy_but_a_duplicate(runs: SqlRunStore) -> None:
    first = await admit(runs, run_request("r1"))
    await told(runs, first.run, done())
    await admit(runs, run_request("r2"))

    again = await admit(runs, run_request("r1"))

    assert again.is_duplicate
    assert again.run.status is RunStatus.DONE


@pytest.mark.parametrize(
    "request_",
    [
        run_request("r1", principal=STRANGER, conversation_id="other"),
        run_request("r1", conversation_id="other"),
    ],
    ids=["a stranger's", "in another conversation"],
)
async def test_a_run_id_that_is_taken_is_a_conflict(
    runs: SqlRunStore, request_: RunRequest
) -> None:
    await admit(runs, run_request("r1"))

    with pytest.raises(Conflict):
        await admit(runs, request_)


async def test_a_strangers_conversation_is_not_found(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    await admit(runs, run_request("r1"))

    with pytest.raises(NotFound):
        await admit(runs, run_request("r2", principal=STRANGER))
    with pytest.raises(NotFound):
        await conversations.get(STRANGER, C)
    with pytest.raises(NotFound):
        await runs.request_cancel(STRANGER, RunId("r1"))
    assert await conversations.messages(STRANGER, C) == []


async def test_a_busy_conversation_rejects_and_leaves_no_trace(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    await admit(runs, run_request("r1"))

    with pytest.raises(Busy) as busy:
        await admit(runs, run_request("r2"))

    assert busy.value.retry_after_seconds
    assert len(await transcript(conversations)) == 1
    with pytest.raises(NotFound):
        await runs.get(LOCAL, RunId("r2"))


async def test_queued_messages_are_answered_in_their_order(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = await admit(runs, run_request("r1", text="one"))
    await admit(runs, run_request("r2", text="two", on_busy=OnBusy.QUEUE))
    await admit(runs, run_request("r3", text="three", on_busy=OnBusy.QUEUE))
    assert await runs.claim() is None

    await told(runs, first.run, done("1", "a1"))
    second = await claimed(runs)
    await told(runs, second, done("2", "a2"))
    third = await claimed(runs)

    assert (second.id, third.id) == ("r2", "r3")
    assert [content for *_, content in await transcript(conversations)] == [
        "one",
        "1",
        "two",
        "2",
        "three",
    ]


async def claimed(runs: SqlRunStore) -> Run:
    run = await runs.claim()
    assert run is not None
    return run


async def test_a_conversations_queue_is_bounded(runs: SqlRunStore) -> None:
    await admit(runs, run_request("r1"))
    await admit(runs, run_request("r2", on_busy=OnBusy.QUEUE))
    await admit(runs, run_request("r3", on_busy=OnBusy.QUEUE))

    with pytest.raises(Busy):
        await admit(runs, run_request("r4", on_busy=OnBusy.QUEUE))


async def test_the_servers_queue_is_bounded(runs: SqlRunStore) -> None:
    for number in range(LIMITS.queued):
        await admit(runs, run_request(f"r{number}", f"c{number}"), may_start=False)

    with pytest.raises(Busy):
        await admit(runs, run_request("r9", "c9"), may_start=False)


async def test_an_interrupt_names_the_run_to_stop(runs: SqlRunStore) -> None:
    await admit(runs, run_request("r1"))

    admitted = await admit(runs, run_request("r2", on_busy=OnBusy.INTERRUPT))

    assert admitted.interrupts == "r1"
    assert admitted.run.status is RunStatus.QUEUED


async def test_a_run_ends_once(runs: SqlRunStore, conversations: SqlConversationStore) -> None:
    run = (await admit(runs, run_request("r1"))).run

    assert await told(runs, run, done()) == 2
    assert await told(runs, run, Ending(RunStatus.ERROR, answer("other"))) is None

    assert (await transcript(conversations))[1:] == [(2, Role.ASSISTANT, "Five days.")]


async def test_a_message_that_is_there_is_answered_again_as_it_is_stored(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    first = (await admit(runs, run_request("r1", message_id="m"))).run
    await told(runs, first, done("once", "a1"))

    again = (await admit(runs, run_request("r2", text="forged", message_id="m"))).run

    assert again.message.content == "How long do refunds take?"
    assert (again.message_position, again.messages_before) == (1, 2)
    assert again == await runs.get(LOCAL, RunId("r2"))
    assert await told(runs, again, done("twice", "a2")) == 3
    assert [position for position, *_ in await transcript(conversations)] == [1, 2, 3]


async def test_a_message_with_the_id_of_an_answer_is_a_conflict(runs: SqlRunStore) -> None:
    first = (await admit(runs, run_request("r1"))).run
    await told(runs, first, done("once", "a1"))

    with pytest.raises(Conflict):
        await admit(runs, run_request("r2", message_id="a1"))


async def test_a_deleted_conversation_takes_its_runs_along(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    run = (await admit(runs, run_request("r1"))).run

    await conversations.delete(LOCAL, C)

    assert await told(runs, run, done()) is None
    assert await transcript(conversations) == []
    with pytest.raises(NotFound):
        await runs.get(LOCAL, RunId("r1"))


async def test_a_cancel_is_noted_while_the_run_lives(runs: SqlRunStore) -> None:
    run = (await admit(runs, run_request("r1"))).run
    assert (await runs.request_cancel(LOCAL, run.id)).cancel_requested

    await told(runs, run, Ending(RunStatus.CANCELLED))

    assert (await runs.request_cancel(LOCAL, run.id)).status is RunStatus.CANCELLED


async def test_every_conversation_has_a_log_of_its_own(runs: SqlRunStore) -> None:
    first = (await admit(runs, run_request("r1", "c1"))).run
    second = (await admit(runs, run_request("r2", "c2"))).run

    assert (first.log.head, first.log.messages) == (0, 0)
    assert first.log.epoch != second.log.epoch


async def test_a_run_that_was_cancelled_while_it_waited_is_still_taken(
    runs: SqlRunStore,
) -> None:
    await admit(runs, run_request("r1"), may_start=False)
    await runs.request_cancel(LOCAL, RunId("r1"))

    assert (await claimed(runs)).cancel_requested


async def test_text_that_no_database_takes_is_kept_all_the_same(
    runs: SqlRunStore, conversations: SqlConversationStore
) -> None:
    run = (await admit(runs, run_request("r1", text="a\0b"))).run

    assert await told(runs, run, done("c\ud800d")) == 2

    assert [text for *_, text in await transcript(conversations)] == ["a\ufffdb", "c\ufffdd"]
