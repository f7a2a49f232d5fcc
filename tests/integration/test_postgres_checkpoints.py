"""What only the checkpoints in Postgres do: nodes share them, and a replaced one is kept out."""

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    empty_checkpoint,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg.conninfo import conninfo_to_dict

from app.agents.turn import TurnFacts, TurnState
from app.graph.checkpoint_pool import connection_string
from app.graph.checkpoints import Fenced, postgres_checkpoints
from app.graph.turn_graph import RunLost
from core.errors import StorageUnavailable
from core.ids import RunId
from tests.support.checkpoint_database import CLAIM, CheckpointDatabase, checkpoint_database
from tests.support.graph_runs import RUN, GraphRuns, finding, found, graph_runs
from tests.support.postgres_server import PostgresServer, postgres_server

ROOT = Path(__file__).parents[2]
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[CheckpointDatabase]:
    with checkpoint_database(postgres) as database:
        yield database


async def test_a_replaced_attempt_writes_nothing_more(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=1)
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def sleep_over_it(facts: TurnFacts, state: TurnState) -> TurnState:
        paused.set()
        await go_on.wait()
        return found("late")

    async with (
        graph_runs(postgres_checkpoints(database.url, 2), looks=sleep_over_it) as zombie,
        graph_runs(postgres_checkpoints(database.url, 2), looks=finding("this")) as successor,
    ):
        async with asyncio.TaskGroup() as group:
            first = group.create_task(_lost(zombie, fence=1))
            await paused.wait()
            await database.claim(RUN, fence=2)
            assert (await successor.run(fence=2)).text == "this"
            head = await successor.kept()
            go_on.set()
        assert first.result()

        assert await successor.kept() == head
        assert zombie.agents["writer"].calls == 0
        assert successor.calls() == {"coordinator": 0, "looks": 1, "writer": 1}


async def test_a_claim_that_is_under_way_is_waited_for(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=1)
    async with postgres_checkpoints(database.url, 2) as checkpoints:
        async with database.session() as claiming, asyncio.TaskGroup() as group:
            await claiming.execute(CLAIM, (2, RUN))
            write = group.create_task(_fenced(checkpoints.saver(RUN, 1), step=1))
            await _until_somebody_waits_for_a_lock(database)
            assert not write.done()
            await claiming.commit()
        assert write.result()
    assert await database.rows("SELECT 1 FROM checkpoints") == []
    assert await database.rows("SELECT 1 FROM checkpoint_blobs") == []


async def test_a_run_whose_end_was_told_is_written_no_more(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=1)
    async with graph_runs(postgres_checkpoints(database.url, 2), looks=finding("this")) as runs:
        await database.tell(RUN)
        with pytest.raises(RunLost):
            await runs.run(fence=1)
    assert await database.rows("SELECT 1 FROM checkpoints") == []


async def test_a_result_of_a_replaced_attempt_is_refused(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=2)
    async with postgres_checkpoints(database.url, 2) as checkpoints:
        with pytest.raises(Fenced):
            await checkpoints.saver(RUN, 1).aput_writes(_at("a"), [("plan", ["x"])], "task")
    assert await database.rows("SELECT 1 FROM checkpoint_writes") == []


async def test_the_newest_checkpoint_is_the_last_steps_whatever_the_clocks_say(
    database: CheckpointDatabase,
) -> None:
    await database.add_run(RUN, fence=2)
    async with postgres_checkpoints(database.url, 2) as checkpoints:
        saver = checkpoints.saver(RUN, 2)
        await _put(saver, step=1, checkpoint_id="9 o'clock")
        await _put(saver, step=2, checkpoint_id="8 o'clock")

        newest = await saver.aget_tuple(_at(None))

    assert newest is not None
    assert newest.checkpoint["id"] == "8 o'clock"


async def test_what_is_written_is_what_langgraph_writes(
    database: CheckpointDatabase, postgres: PostgresServer
) -> None:
    checkpoint: Checkpoint = empty_checkpoint() | {
        "id": "c",
        "channel_values": {"plain": "x", "none": None, "number": 1.5, "list": ["x"], "old": [1]},
        "channel_versions": {"plain": "1", "list": "2", "old": "1"},
    }
    config = _at("parent")
    metadata: CheckpointMetadata = {"source": "loop", "step": 3, "run_id": RUN}
    writes = [("list", ["x"]), ("plain", None)]

    async def write(saver: BaseCheckpointSaver[str]) -> RunnableConfig:
        put = await saver.aput(config, checkpoint, metadata, {"list": "2", "plain": "1"})
        await saver.aput_writes(put, writes, "task", "path")
        return put

    await database.add_run(RUN, fence=1)
    async with postgres_checkpoints(database.url, 2) as checkpoints:
        ours = await write(checkpoints.saver(RUN, 1))
    with checkpoint_database(postgres) as plain:
        async with AsyncPostgresSaver.from_conn_string(plain.url) as theirs:
            await theirs.setup()
            assert await write(theirs) == ours

        for table in TABLES:
            rows = await database.rows(f"SELECT * FROM {table}")
            assert rows == await plain.rows(f"SELECT * FROM {table}")
            assert rows, table


async def test_no_call_of_langgraph_writes_past_the_fence(database: CheckpointDatabase) -> None:
    """A new version that writes in a new way must not go unnoticed."""
    ours = {"aget_tuple", "aput", "aput_writes"}
    # These come by `_cursor`, which refuses.
    refused = {"adelete_thread", "aprune", "alist", "aget_delta_channel_history", "setup"}
    # These are not implemented for Postgres, or call one of the above.
    others = {"acopy_thread", "adelete_for_runs", "aget", "from_conn_string"}
    known = {
        name
        for name, member in inspect.getmembers(AsyncPostgresSaver)
        if not name.startswith("_")
        and (inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member))
    }
    assert known | {"from_conn_string"} == ours | refused | others
    saver = await _saver_of(database)
    for name in (*ours, "_cursor"):
        assert getattr(type(saver), name) is not getattr(AsyncPostgresSaver, name)
    with pytest.raises(NotImplementedError):
        await saver.adelete_thread(RUN)
    with pytest.raises(NotImplementedError):
        await saver.aprune([RUN], strategy="delete")
    for name in ("acopy_thread", "adelete_for_runs"):
        assert getattr(AsyncPostgresSaver, name) is getattr(BaseCheckpointSaver, name)


async def test_nodes_that_start_together_make_the_tables_once(
    database: CheckpointDatabase,
) -> None:
    async def start() -> None:
        async with postgres_checkpoints(database.url, 2):
            pass

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(start())

    made = await database.rows("SELECT v FROM checkpoint_migrations ORDER BY v")
    assert [row[0] for row in made] == list(range(len(AsyncPostgresSaver.MIGRATIONS)))


async def test_a_run_goes_on_when_its_connections_are_cut(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=1)

    async def cut(facts: TurnFacts, state: TurnState) -> TurnState:
        await database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'colloquy-checkpoints' AND datname = current_database()"
        )
        return found("this")

    async with graph_runs(postgres_checkpoints(database.url, 2), looks=cut) as runs:
        assert (await runs.run()).text == "this"
        assert runs.calls() == {"coordinator": 1, "looks": 1, "writer": 1}


async def test_a_run_goes_on_when_the_database_crashed_and_started_anew() -> None:
    with postgres_server() as own, checkpoint_database(own) as database:
        await database.add_run(RUN, fence=1)

        async def crash(facts: TurnFacts, state: TurnState) -> TurnState:
            await asyncio.to_thread(own.stop, signal.SIGQUIT)
            restarting.append(group.create_task(asyncio.to_thread(own.start)))
            return found("this")

        restarting: list[asyncio.Task[None]] = []
        async with (
            graph_runs(postgres_checkpoints(database.url, 2), looks=crash) as runs,
            asyncio.TaskGroup() as group,
        ):
            assert (await runs.run()).text == "this"
            assert runs.calls() == {"coordinator": 1, "looks": 1, "writer": 1}


async def test_a_database_that_is_away_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("app.graph.checkpoint_pool.WAIT_SECONDS", 0.3)

    with pytest.raises(StorageUnavailable) as failure:
        async with postgres_checkpoints(f"postgresql://x@127.0.0.1:{unused_tcp_port}/x", 2):
            pass

    assert str(unused_tcp_port) not in failure.value.message


async def test_a_checkpoint_names_no_class_to_be_built(database: CheckpointDatabase) -> None:
    saver = await _saver_of(database)
    stored = JsonPlusSerializer(allowed_msgpack_modules=True).dumps_typed(Trojan("x"))

    assert not isinstance(saver.serde.loads_typed(stored), Trojan)


@pytest.mark.parametrize("failpoint", ["after_checkpoint", "after_step:2", "after_step:3"])
async def test_a_process_that_was_killed_is_followed_without_repeating(
    database: CheckpointDatabase, failpoint: str
) -> None:
    await database.add_run(RUN, fence=1)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _program(database.url),
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLLOQUY_FAILPOINT": failpoint},
    )
    assert await process.wait() == -signal.SIGKILL

    await database.claim(RUN, fence=2)
    async with graph_runs(postgres_checkpoints(database.url, 2), looks=finding("this")) as runs:
        assert (await runs.run(fence=2)).text == "this"
        asked = runs.calls()
    again = {"after_checkpoint": (0, 1, 1), "after_step:2": (0, 1, 1), "after_step:3": (0, 0, 1)}
    assert (asked["coordinator"], asked["looks"], asked["writer"]) == again[failpoint]


async def test_a_result_beside_a_killed_agent_is_used(database: CheckpointDatabase) -> None:
    await database.add_run(RUN, fence=1)
    async with graph_runs(
        postgres_checkpoints(database.url, 2), looks=finding("new"), reads=finding("that")
    ) as runs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _program(database.url, "reads=endless"),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        await runs.until_result_kept()
        process.kill()
        await process.wait()
        await database.claim(RUN, fence=2)

        assert (await runs.run(fence=2)).text == "that this"
        assert runs.calls() == {"coordinator": 0, "looks": 0, "reads": 1, "writer": 1}


def test_a_url_of_sqlalchemy_is_understood_and_wins_over_what_is_usual() -> None:
    string = connection_string("postgresql+psycopg://me:p%2Bw@h:1/d?connect_timeout=9")

    parts = conninfo_to_dict(string)
    assert (parts["host"], parts["user"], parts["password"]) == ("h", "me", "p+w")
    assert (parts["connect_timeout"], parts["tcp_user_timeout"]) == ("9", "10000")


@dataclass
class Trojan:
    """A class that a checkpoint might name."""

    text: str


async def _lost(runs: GraphRuns, fence: int) -> bool:
    with pytest.raises(RunLost):
        await runs.run(fence)
    return True


async def _fenced(saver: BaseCheckpointSaver[str], step: int) -> bool:
    with pytest.raises(Fenced):
        await _put(saver, step, "any")
    return True


async def _put(saver: BaseCheckpointSaver[str], step: int, checkpoint_id: str) -> None:
    checkpoint = empty_checkpoint()
    checkpoint["id"] = checkpoint_id
    checkpoint["channel_values"] = {"plan": ["x"]}
    checkpoint["channel_versions"] = {"plan": "1"}
    await saver.aput(_at(None), checkpoint, {"source": "loop", "step": step}, {"plan": "1"})


def _at(checkpoint_id: str | None) -> RunnableConfig:
    place = {"thread_id": RUN, "checkpoint_ns": ""}
    return {"configurable": place | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}


async def _saver_of(database: CheckpointDatabase) -> BaseCheckpointSaver[str]:
    async with postgres_checkpoints(database.url, 2) as checkpoints:
        return checkpoints.saver(RunId("any"), 1)


async def _until_somebody_waits_for_a_lock(database: CheckpointDatabase) -> None:
    async with asyncio.timeout(20):
        while not await database.rows(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            pass


def _program(url: str, agents: str = "") -> str:
    return dedent(
        f"""
        import asyncio
        from app.graph.checkpoints import postgres_checkpoints
        from tests.support.graph_runs import endless, finding, graph_runs

        async def main() -> None:
            opened = postgres_checkpoints({url!r}, 2)
            async with graph_runs(opened, looks=finding("this"), {agents}) as runs:
                await runs.run(fence=1)

        asyncio.run(main())
        """
    )
