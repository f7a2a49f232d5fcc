"""What a run store promises where many nodes do the same at the same time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from core.clock import SystemClock
from core.conversations import LogMark, Role
from core.errors import Busy
from core.ids import ConversationId, MessageId, RunId
from core.ports.run_store import AdmissionLimits, Admitted, Ending
from core.principal import LOCAL
from core.runs import Answer, OnBusy, Run, RunStatus
from tests.support.sql import run_request

NODES = 8
LIMITS = AdmissionLimits(queued=1000, queued_per_conversation=1000)
C = ConversationId("c")
LEASE_SECONDS = 60

T = TypeVar("T")


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[list[SqlRunStore]]:
    """The stores of nodes that have nothing in common but a database."""
    async with AsyncExitStack() as stack:
        stores = []
        for number in range(NODES):
            database = Database.postgres(postgres_url, pool_size=3)
            stack.push_async_callback(database.close)
            stores.append(SqlRunStore(database, SystemClock(), f"node-{number}", LEASE_SECONDS))
        yield stores


@pytest.fixture
async def conversations(postgres_url: str) -> AsyncIterator[SqlConversationStore]:
    database = Database.postgres(postgres_url)
    yield SqlConversationStore(database)
    await database.close()


async def side_by_side(work: Sequence[Awaitable[T]]) -> list[T]:
    async def one(awaitable: Awaitable[T]) -> T:
        return await awaitable

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in work]
    return [task.result() for task in tasks]


async def test_no_run_is_taken_twice(nodes: list[SqlRunStore]) -> None:
    for number in range(200):
        request = run_request(f"r{number}", f"c{number}")
        await nodes[0].admit(request, LIMITS, may_start=False)

    async def take_until_none(store: SqlRunStore) -> list[RunId]:
        taken = []
        # None may also mean that others have just locked what is left: asked once more each.
        for _ in range(3):
            while (run := await store.claim()) is not None:
                taken.append(run.id)
        return taken

    taken = await side_by_side([take_until_none(store) for store in nodes])

    counts = Counter(run_id for each in taken for run_id in each)
    assert len(counts) == 200
    assert set(counts.values()) == {1}


async def test_the_same_run_sent_to_many_nodes_at_once_is_one(nodes: list[SqlRunStore]) -> None:
    for number in range(40):
        request = run_request(f"r{number}", f"c{number}")
        admitted = await side_by_side(
            [store.admit(request, LIMITS, may_start=True) for store in nodes[:5]]
        )
        assert [each.is_duplicate for each in admitted].count(False) == 1
        assert {each.run.id for each in admitted} == {request.run_id}
        assert len(await nodes[0].of_conversation(LOCAL, request.conversation_id)) == 1


@pytest.mark.parametrize("on_busy", [OnBusy.QUEUE, OnBusy.REJECT])
async def test_of_two_first_messages_at_once_one_is_answered_and_the_other_finds_it_busy(
    nodes: list[SqlRunStore], on_busy: OnBusy
) -> None:
    async def admit(store: SqlRunStore, number: int, conversation: str) -> Admitted | Busy:
        request = run_request(f"{conversation}-{number}", conversation, on_busy=on_busy)
        try:
            return await store.admit(request, LIMITS, may_start=True)
        except Busy as busy:
            return busy

    for number in range(40):
        answers = await side_by_side(
            [admit(store, index, f"c{number}") for index, store in enumerate(nodes[:3])]
        )
        statuses = [each.run.status if isinstance(each, Admitted) else "busy" for each in answers]
        other = RunStatus.QUEUED if on_busy is OnBusy.QUEUE else "busy"
        assert sorted(statuses) == sorted([RunStatus.RUNNING, other, other])


async def test_one_conversation_is_answered_in_order_while_all_nodes_look_for_work(
    nodes: list[SqlRunStore], conversations: SqlConversationStore
) -> None:
    questions = 60
    all_done = asyncio.Event()
    answered: list[RunId] = []

    async def answer(store: SqlRunStore) -> None:
        while not all_done.is_set():
            if (run := await store.claim()) is not None:
                await end(store, run)
            await asyncio.sleep(0)

    async def end(store: SqlRunStore, run: Run) -> None:
        ending = Ending(RunStatus.DONE, Answer(MessageId(f"answer-{run.id}"), run.id))
        finished = await store.finish(run, ending, is_told=False)
        assert finished is not None
        answered.append(run.id)
        if len(answered) == questions:
            all_done.set()
        await store.tell(run, LogMark("epoch", len(answered), finished.message_count))

    async def ask(store: SqlRunStore, first: int) -> None:
        for number in range(first, questions, 2):
            request = run_request(f"r{number}", on_busy=OnBusy.QUEUE, text=f"r{number}")
            admitted = await store.admit(request, LIMITS, may_start=number % 4 < 2)
            if admitted.run.status is RunStatus.RUNNING:
                await end(store, admitted.run)

    await side_by_side([*(answer(store) for store in nodes), ask(nodes[0], 0), ask(nodes[1], 1)])

    runs = await nodes[0].of_conversation(LOCAL, C)
    assert [run.id for run in runs] == answered
    assert {run.attempt for run in runs} == {1}
    assert [run.fence for run in runs] == list(range(1, questions + 1))
    messages = await conversations.messages(LOCAL, C)
    said = [(message.role, message.content) for message in messages]
    assert said == [line for run in answered for line in ((Role.USER, run), (Role.ASSISTANT, run))]


async def test_runs_of_a_dead_node_are_taken_over_once(postgres_url: str) -> None:
    async with AsyncExitStack() as stack:
        database = Database.postgres(postgres_url, pool_size=NODES)
        stack.push_async_callback(database.close)
        dying = SqlRunStore(database, SystemClock(), "dying", 0)
        for number in range(50):
            await dying.admit(run_request(f"r{number}", f"c{number}"), LIMITS, may_start=True)
        others = [
            SqlRunStore(database, SystemClock(), f"node-{number}", LEASE_SECONDS)
            for number in range(NODES)
        ]

        taken: list[Run] = []
        while len(taken) < 50:
            claimed = await side_by_side([store.claim() for store in others])
            taken += [run for run in claimed if run is not None]

        assert len({run.id for run in taken}) == 50
        assert {run.attempt for run in taken} == {2}
        assert await others[0].claim() is None


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_node_with_a_wrong_clock_does_as_the_others(
    postgres_url: str, nodes: list[SqlRunStore], hours: int
) -> None:
    database = Database.postgres(postgres_url)
    wrong = SqlRunStore(database, ShiftedClock(hours), "wrong", LEASE_SECONDS)
    await wrong.admit(run_request("r1"), LIMITS, may_start=False)
    run = await nodes[0].claim()
    assert run is not None
    assert await wrong.claim() is None
    await nodes[0].release(run)
    again = await wrong.claim()
    assert again is not None

    assert 0 <= run.waited_seconds <= again.waited_seconds < 600
    assert await nodes[0].claim() is None
    await database.close()


class ShiftedClock:
    """A clock that is wrong. See `Clock`."""

    def __init__(self, hours: int) -> None:
        self._shift = timedelta(hours=hours)

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC) + self._shift
