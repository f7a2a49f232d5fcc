"""What is promised of answers and tool calls where many nodes do the same at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.ledger import SqlToolLedger
from core.clock import SystemClock
from core.errors import Conflict
from core.ports.run_store import Admitted, Ending
from core.ports.tool_ledger import CallFenced
from core.principal import LOCAL
from core.runs import OnBusy, Run, RunRequest, RunStatus
from core.tools import Ask, AskAnswer, Decision
from tests.support.attempts import LEASE_SECONDS, LIMITS, answering, call_key, question_about
from tests.support.sql import run_request

NODES = 4
ROUNDS = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """What a node has of the database that it shares with the others."""

    database: Database
    runs: SqlRunStore
    asks: SqlAsks
    ledger: SqlToolLedger


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        nodes = []
        for number in range(NODES):
            database, name = Database.postgres(postgres_url, pool_size=3), f"node-{number}"
            stack.push_async_callback(database.close)
            clock = SystemClock()
            runs = SqlRunStore(database, clock, name, LEASE_SECONDS)
            asks, ledger = SqlAsks(database, clock, name), SqlToolLedger(database, clock, name)
            nodes.append(Node(database, runs, asks, ledger))
        yield nodes


async def side_by_side(work: Sequence[Awaitable[T]]) -> list[T]:
    async def one(awaitable: Awaitable[T]) -> T:
        return await awaitable

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in work]
    return [task.result() for task in tasks]


async def begun(node: Node, request: RunRequest) -> Run:
    return (await node.runs.admit(request, LIMITS, may_start=True)).run


async def interrupted(node: Node, conversation: str) -> Ask:
    run = await begun(node, run_request(f"{conversation}-first", conversation))
    [ask] = await node.asks.ask(run.id, run.fence, [question_about(run)])
    await node.runs.finish(run, Ending(RunStatus.INTERRUPTED, asks=(ask,)), is_told=True)
    return ask


async def admitted(node: Node, request: RunRequest) -> Admitted | None:
    try:
        return await node.runs.admit(request, LIMITS, may_start=True)
    except Conflict:
        return None


async def test_of_answers_that_come_to_many_nodes_at_once_one_counts(nodes: list[Node]) -> None:
    decisions = [Decision.APPROVED, Decision.REJECTED]
    for number in range(ROUNDS):
        conversation = f"c{number}"
        ask = await interrupted(nodes[0], conversation)
        requests = [
            answering(
                f"{conversation}-{index}",
                AskAnswer(ask.id, decisions[index % 2]),
                conversation_id=conversation,
            )
            for index in range(NODES)
        ]

        answers = await side_by_side(
            [admitted(node, request) for node, request in zip(nodes, requests, strict=True)]
        )

        [won] = [index for index, answer in enumerate(answers) if answer is not None]
        [[told]] = (await nodes[0].asks.of_run(ask.root_id)).values()
        assert told.decision is decisions[won % 2]
        runs = await nodes[0].runs.of_conversation(LOCAL, ask.conversation_id)
        assert [run.id for run in runs] == [ask.root_id, requests[won].run_id]


async def test_an_answer_sent_to_many_nodes_at_once_is_given_once(nodes: list[Node]) -> None:
    for number in range(ROUNDS):
        conversation = f"c{number}"
        ask = await interrupted(nodes[0], conversation)
        request = answering(
            f"{conversation}-second",
            AskAnswer(ask.id, Decision.APPROVED),
            conversation_id=conversation,
        )

        answers = await side_by_side([admitted(node, request) for node in nodes])

        assert [each.is_duplicate for each in answers if each is not None].count(False) == 1
        assert {each and each.run.id for each in answers} == {request.run_id}


async def test_of_an_answer_and_a_message_at_once_the_one_knows_of_the_other(
    nodes: list[Node],
) -> None:
    for number in range(ROUNDS):
        conversation = f"c{number}"
        ask = await interrupted(nodes[0], conversation)
        answer = answering(
            f"{conversation}-answer",
            AskAnswer(ask.id, Decision.APPROVED),
            conversation_id=conversation,
        )
        message = run_request(f"{conversation}-message", conversation, on_busy=OnBusy.QUEUE)

        continued, said = await side_by_side(
            [admitted(nodes[0], answer), admitted(nodes[1], message)]
        )

        assert said is not None
        runs = await nodes[0].runs.of_conversation(LOCAL, ask.conversation_id)
        order = [run.id.removeprefix(f"{conversation}-") for run in runs]
        if continued is None:
            assert order == ["first", "message"]
        else:
            assert order == ["first", "answer", "message"]


async def test_a_call_is_new_to_one_attempt_while_a_run_changes_hands(nodes: list[Node]) -> None:
    old_node, new_node = nodes[:2]

    async def begin(run: Run) -> bool | None:
        try:
            return (await old_node.ledger.begin(call_key(run))).is_new
        except CallFenced:
            return None

    async def take_over(run: Run) -> bool:
        taken = None
        # A run that is being written to is passed over; it is there for the next look.
        while taken is None:
            taken = await new_node.runs.claim()
        assert taken.id == run.id
        return (await new_node.ledger.begin(call_key(taken))).is_new

    for number in range(ROUNDS):
        # Its lease has run out, and it does not know.
        lost = SqlRunStore(old_node.database, SystemClock(), "node-0", 0)
        request = run_request(f"r{number}", f"c{number}")
        run = (await lost.admit(request, LIMITS, may_start=True)).run

        was_new, is_new = await side_by_side([begin(run), take_over(run)])

        assert is_new is not (was_new is True)


async def test_many_calls_of_a_run_are_recorded_at_once(nodes: list[Node]) -> None:
    node = nodes[0]
    run = await begun(node, run_request("r1"))

    records = await side_by_side(
        [node.ledger.begin(call_key(run, f"call-{number}")) for number in range(100)]
    )

    assert all(record.is_new for record in records)
