"""A message on its way to its last event, over a real database, log and graph."""

import asyncio
from pathlib import Path

import pytest

from app.agents.turn import ToolResult, TurnFacts, TurnState
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from core.clock import Clock
from core.errors import Busy, ModelUnavailable, NotFound
from core.ids import RunId
from core.ports.run_store import Ending, Finished
from core.principal import LOCAL
from core.runs import OnBusy, Run, RunStatus
from tests.support.sql import run_request
from tests.support.turns_house import C, greet, say, turns_house


class Held:
    """A writer that says something, then waits until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, facts: TurnFacts, state: TurnState) -> TurnState:
        message = facts.sink.open_message(facts.answer_id)
        message.text("So far")
        self.begun.set()
        await self.go.wait()
        message.text(" and on.")
        message.close()
        return {
            "answer": {
                "message_id": facts.answer_id,
                "text": "So far and on.",
                "citations": [],
                "usage": [],
            }
        }


async def test_what_a_client_shows_is_what_is_stored(tmp_path: Path) -> None:
    async with turns_house(tmp_path) as house:
        await house.turns.submit(run_request("r1", text="one"))
        await house.finished("r1")
        await house.turns.submit(run_request("r2", text="two"))
        await house.finished("r2")

        shown = await house.shown()

        assert shown.messages == await house.stored()
        assert [text for *_, text in shown.messages] == [
            "one",
            "Hello, you said 'one'.",
            "two",
            "Hello, you said 'two'.",
        ]
        assert shown.endings == ["success", "success"]


async def test_a_resent_message_does_not_run_twice(tmp_path: Path) -> None:
    async with turns_house(tmp_path) as house:
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(house.turns.submit(run_request("r1"))) for _ in range(5)]
        await house.finished("r1")

        assert sorted(task.result().duplicate for task in sent) == [False, True, True, True, True]
        assert house.writer.calls == 1


async def test_an_agent_sees_the_history_before_the_question(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def remember(facts: TurnFacts, state: TurnState) -> TurnState:
        seen.append([message.content for message in facts.history])
        return await greet(facts, state)

    async with turns_house(tmp_path, remember) as house:
        for number in ("1", "2"):
            await house.turns.submit(run_request(number, text=number))
            await house.finished(number)

    assert seen == [[], ["1", "Hello, you said '1'."]]


async def test_a_cancelled_answer_keeps_what_was_said(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1"))
        await held.begun.wait()

        await house.turns.cancel(LOCAL, RunId("r1"))
        await house.finished("r1")

        shown = await house.shown()
        assert shown.endings == ["cancelled"]
        assert shown.messages[-1][2] == "So far"
        assert shown.messages == await house.stored()


async def test_a_run_that_ended_can_be_cancelled_without_effect(tmp_path: Path) -> None:
    async with turns_house(tmp_path) as house:
        await house.turns.submit(run_request("r1"))
        await house.finished("r1")

        await house.turns.cancel(LOCAL, RunId("r1"))

        assert (await house.shown()).endings == ["success"]
        with pytest.raises(NotFound):
            await house.turns.cancel(LOCAL, RunId("unknown"))


@pytest.mark.parametrize(
    ("error", "code"),
    [(ModelUnavailable("gone"), "model_unavailable"), (ZeroDivisionError("bug"), "internal")],
    ids=["an error of ours", "a bug"],
)
async def test_a_failed_answer_is_told_and_keeps_what_was_said(
    tmp_path: Path, error: Exception, code: str
) -> None:
    async def fail(facts: TurnFacts, state: TurnState) -> TurnState:
        facts.sink.open_message(facts.answer_id).text("Half")
        raise error

    async with turns_house(tmp_path, fail) as house:
        await house.turns.submit(run_request("r1"))
        await house.finished("r1")

        shown = await house.shown()
        assert shown.endings == [code]
        assert shown.messages[-1][2] == "Half"
        assert shown.messages == await house.stored()
        assert (await house.runs.get(LOCAL, RunId("r1"))).error_code == code


async def test_one_bug_ends_one_run(tmp_path: Path) -> None:
    async def fail_once(facts: TurnFacts, state: TurnState) -> TurnState:
        if facts.question == "bad":
            raise ZeroDivisionError
        return await greet(facts, state)

    async with turns_house(tmp_path, fail_once) as house:
        await house.turns.submit(run_request("r1", text="bad"))
        await house.finished("r1")
        await house.turns.submit(run_request("r2", text="good"))
        await house.finished("r2")

        assert (await house.shown()).endings == ["internal", "success"]


async def test_an_answer_that_takes_too_long_ends_with_a_deadline(tmp_path: Path) -> None:
    async with turns_house(tmp_path, Held(), timeout_seconds=0.05) as house:
        await house.turns.submit(run_request("r1"))
        await house.finished("r1")

        assert (await house.shown()).endings == ["deadline_exceeded"]


async def test_queued_messages_are_told_in_the_order_they_are_stored(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1", text="one"))
        await held.begun.wait()
        await house.turns.submit(run_request("r2", text="two", on_busy=OnBusy.QUEUE))
        await house.turns.submit(run_request("r3", text="three", on_busy=OnBusy.QUEUE))
        held.go.set()
        await house.finished("r3")

        shown = await house.shown()
        assert [text for _, role, text in shown.messages if role == "user"] == [
            "one",
            "two",
            "three",
        ]
        assert shown.messages == await house.stored()


async def test_an_interrupt_stops_the_answer_before_it(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1", text="one"))
        await held.begun.wait()
        held.go.clear()

        await house.turns.submit(run_request("r2", text="no, two", on_busy=OnBusy.INTERRUPT))
        await house.finished("r1")
        held.go.set()
        await house.finished("r2")

        assert (await house.shown()).endings == ["cancelled", "success"]


async def test_more_runs_than_slots_wait_and_are_all_answered(tmp_path: Path) -> None:
    async with turns_house(tmp_path, slots=1) as house:
        for number in range(5):
            await house.turns.submit(run_request(f"r{number}", f"c{number}"))
        for number in range(5):
            await house.finished(f"r{number}", type(C)(f"c{number}"))

        assert house.writer.calls == 5


async def test_a_run_that_lost_its_process_is_answered_by_the_next(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as first:
        await first.turns.submit(run_request("r1"))
        await held.begun.wait()

    async with turns_house(tmp_path) as second:
        await second.finished("r1")

        shown = await second.shown()
        assert shown.messages == await second.stored()
        assert [role for _, role, _ in shown.messages] == ["user", "assistant"]
        assert shown.messages[-1][2].startswith("Hello")
        assert [value["attempt"] for value in shown.resumed] == [2]


async def test_agents_that_finished_before_the_crash_are_not_asked_again(tmp_path: Path) -> None:
    held = Held()

    async def look(facts: TurnFacts, state: TurnState) -> TurnState:
        return {"passages": []}

    async def plan(facts: TurnFacts, state: TurnState) -> TurnState:
        return {"plan": ["retrieval"]}

    agents = {"coordinator": plan, "retrieval": look}
    async with turns_house(tmp_path, held, agents=agents) as first:
        await first.turns.submit(run_request("r1"))
        await held.begun.wait()
        assert first.agents["retrieval"].calls == 1

    async with turns_house(tmp_path, agents=agents) as second:
        await second.finished("r1")

        assert second.agents["coordinator"].calls == 0
        assert second.agents["retrieval"].calls == 0
        assert second.writer.calls == 1


async def test_tools_that_answered_before_the_crash_are_told_again_and_not_called(
    tmp_path: Path,
) -> None:
    held = Held()

    async def call(facts: TurnFacts, state: TurnState) -> TurnState:
        facts.sink.tool_called("call", "calculate", "{}")
        facts.sink.tool_answered("call", "6")
        result = ToolResult(call_id="call", tool="calculate", arguments="{}", text="6", error=False)
        return {"tool_results": [result]}

    async def plan(facts: TurnFacts, state: TurnState) -> TurnState:
        return {"plan": ["tools"]}

    agents = {"coordinator": plan, "tools": call}
    async with turns_house(tmp_path, held, agents=agents) as first:
        await first.turns.submit(run_request("r1"))
        await held.begun.wait()

    async with turns_house(tmp_path, agents=agents) as second:
        await second.finished("r1")

        assert second.agents["tools"].calls == 0
        assert (await second.shown()).messages == await second.stored()
        [answer] = (await second.store.messages(LOCAL, C))[1:]
        assert [(one.name, one.result) for one in answer.tool_calls] == [("calculate", "6")]


class StuckRunStore(SqlRunStore):
    """A store that never gets to writing an ending down."""

    def __init__(self, database: Database, clock: Clock, node: str, lease_seconds: float) -> None:
        super().__init__(database, clock, node, lease_seconds)
        self.asked = asyncio.Event()

    async def finish(self, run: Run, ending: Ending, *, is_told: bool) -> Finished | None:
        self.asked.set()
        await asyncio.Event().wait()
        return None


async def test_an_answer_that_was_written_but_not_kept_is_not_written_again(
    tmp_path: Path,
) -> None:
    async with turns_house(tmp_path, run_store=StuckRunStore) as first:
        await first.turns.submit(run_request("r1"))
        assert isinstance(first.runs, StuckRunStore)
        await first.runs.asked.wait()

    async with turns_house(tmp_path) as second:
        await second.finished("r1")

        assert second.writer.calls == 0
        shown = await second.shown()
        assert shown.messages[-1][2] == "Hello, you said 'How long do refunds take?'."
        assert shown.messages == await second.stored()


async def test_a_run_that_keeps_failing_its_process_is_given_up(tmp_path: Path) -> None:
    for _ in range(3):
        held = Held()
        async with turns_house(tmp_path, held) as house:
            if await house.store.messages(LOCAL, C) == []:
                await house.turns.submit(run_request("r1"))
            await held.begun.wait()

    async with turns_house(tmp_path) as house:
        await house.finished("r1")

        assert (await house.shown()).endings == ["internal"]
        assert house.writer.calls == 0


async def test_a_drained_node_takes_no_more_and_finishes_what_it_has(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1"))
        await held.begun.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(house.runner.drain(20, hand_over=False))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await house.turns.submit(run_request("r2", "c2"))
            held.go.set()

        assert (await house.runs.get(LOCAL, RunId("r1"))).status is RunStatus.DONE


async def test_a_deleted_conversation_stops_its_run_and_leaves_nothing(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1"))
        await held.begun.wait()

        await house.conversations.delete(LOCAL, C)
        await house.runner.drain(20, hand_over=False)

        with pytest.raises(NotFound):
            await house.events()
        with pytest.raises(NotFound):
            await house.runs.get(LOCAL, RunId("r1"))


async def test_a_finished_run_is_told_again_from_storage(tmp_path: Path) -> None:
    async with turns_house(tmp_path) as house:
        await house.turns.submit(run_request("r1"))
        assert await house.replay.events(LOCAL, RunId("r1")) is None
        await house.finished("r1")

        told = await house.replay.events(LOCAL, RunId("r1"))

        assert told is not None
        assert [event.split('"')[3] for event in told] == [
            "RUN_STARTED",
            "MESSAGES_SNAPSHOT",
            "RUN_FINISHED",
        ]


async def test_an_answer_with_no_words_leaves_no_empty_message(tmp_path: Path) -> None:
    async def silent(facts: TurnFacts, state: TurnState) -> TurnState:
        return say(facts)

    async with turns_house(tmp_path, silent) as house:
        await house.turns.submit(run_request("r1"))
        await house.finished("r1")

        assert (await house.shown()).messages == await house.stored()


async def test_a_message_that_is_refused_disturbs_nobody(tmp_path: Path) -> None:
    held = Held()
    async with turns_house(tmp_path, held) as house:
        await house.turns.submit(run_request("r1"))
        await held.begun.wait()

        with pytest.raises(Busy):
            await house.turns.submit(run_request("r2", on_busy=OnBusy.REJECT))
        held.go.set()
        await house.finished("r1")

        await house.turns.submit(run_request("r3"))
        await house.finished("r3")
        assert (await house.shown()).endings == ["success", "success"]


async def test_a_caller_that_leaves_is_admitted_all_the_same(tmp_path: Path) -> None:
    async with turns_house(tmp_path) as house:
        leaving = asyncio.create_task(house.turns.submit(run_request("r1")))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving

        async with asyncio.timeout(20):
            while not await house.store.list(LOCAL, 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await house.finished("r1")


class UntoldRunStore(SqlRunStore):
    """A store of a node whose log outlives it, and which ends before it could tell an end."""

    async def finish(self, run: Run, ending: Ending, *, is_told: bool) -> Finished | None:
        return await super().finish(run, ending, is_told=False)


async def test_an_end_that_a_node_with_a_shared_log_left_untold_frees_the_conversation(
    tmp_path: Path,
) -> None:
    async with turns_house(tmp_path, run_store=UntoldRunStore) as first:
        await first.turns.submit(run_request("r1"))
        await first.finished("r1")

    async with turns_house(tmp_path) as second:
        await second.finished("r1")
        await second.turns.submit(run_request("r2", on_busy=OnBusy.QUEUE))
        await second.finished("r2")

        assert (await second.shown()).messages == await second.stored()
        assert second.writer.calls == 1
