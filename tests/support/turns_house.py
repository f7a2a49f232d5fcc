"""Turns over a real database, log and graph, with agents that do what a test tells them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

from app.agents.turn import TurnFacts, TurnState
from app.graph.checkpoints import sqlite_checkpoints
from app.graph.turn_graph import TurnGraph
from app.infra.memory.event_log import MemoryEventLog
from app.infra.memory.signals import MemorySignals
from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.eager_sqlite import connect
from app.infra.sql.leases import NoLeases
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.spending import SqlSpending
from app.turns.briefing import Briefing, Budgets
from app.turns.conversations import Conversations
from app.turns.following import Follower
from app.turns.performer import Performer
from app.turns.reading import Readings
from app.turns.replay import Replay
from app.turns.runner import Runner
from app.turns.turns import Turns
from core.clock import SystemClock
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor
from core.ports.meters import NoMeters
from core.ports.run_store import AdmissionLimits
from core.principal import LOCAL
from tests.support.fold import Shown, fold
from tests.support.sql import migrated_database

C = ConversationId("c")
Act = Callable[[TurnFacts, TurnState], Awaitable[TurnState]]


@dataclass
class ScriptedAgent:
    """An agent that does what it is told and counts how often. See `Agent`."""

    name: str
    do: Act
    calls: int = 0

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """See `Agent`."""
        self.calls += 1
        return await self.do(facts, state)


async def straight_to_the_writer(facts: TurnFacts, state: TurnState) -> TurnState:
    """Plan nothing."""
    return {"plan": []}


def say(facts: TurnFacts, *deltas: str) -> TurnState:
    """Stream an answer and return it, as a writer does."""
    message = facts.sink.open_message(facts.answer_id)
    for delta in deltas:
        message.text(delta)
    message.close()
    text = "".join(deltas)
    return {"answer": {"message_id": facts.answer_id, "text": text, "citations": [], "usage": []}}


async def greet(facts: TurnFacts, state: TurnState) -> TurnState:
    """Write a short answer."""
    return say(facts, "Hello", ", ", f"you said {facts.question!r}.")


@dataclass
class TurnsHouse:
    """The floors from turns down."""

    turns: Turns
    conversations: Conversations
    follower: Follower
    replay: Replay
    runs: SqlRunStore
    store: SqlConversationStore
    log: MemoryEventLog
    runner: Runner
    readings: Readings
    writer: ScriptedAgent
    agents: dict[str, ScriptedAgent] = field(default_factory=dict)

    async def finished(self, run_id: str, conversation_id: ConversationId = C) -> None:
        """Wait for a run's last event."""
        following = await self.follower.open(LOCAL, conversation_id, None)
        async with asyncio.timeout(20):
            async for event in following.events_of(RunId(run_id), 5):
                if event is not None and event.ends_run:
                    return

    async def events(self, after: Cursor | None = None) -> list[str]:
        """Return the events of the conversation that are there now."""
        reading = await self.readings.open(LOCAL, C, after, lambda: None)
        told: list[str] = []
        while (batch := reading.take(10_000)) is not None:
            told += batch.events
        reading.close()
        return told

    async def shown(self) -> Shown:
        """Return what a client shows now."""
        return fold(await self.events())

    async def stored(self) -> list[tuple[str, str, str]]:
        """Return the transcript as `Shown.messages` has it."""
        messages = await self.store.messages(LOCAL, C)
        return [(message.id, message.role, message.content) for message in messages]


NO_BUDGETS = Budgets()


@asynccontextmanager
async def turns_house(
    folder: Path,
    write: Act = greet,
    *,
    agents: Mapping[str, Act] | None = None,
    slots: int = 8,
    timeout_seconds: float = 10,
    run_store: type[SqlRunStore] = SqlRunStore,
    budgets: Budgets = NO_BUDGETS,
) -> AsyncIterator[TurnsHouse]:
    """Give a house whose writer does `write`; a second one on the same folder is a restart."""
    known = {"coordinator": straight_to_the_writer, **(agents or {}), "writer": write}
    scripted = {name: ScriptedAgent(name, act) for name, act in known.items()}
    async with (
        migrated_database(folder) as database,
        TurnGraph(
            scripted, partial(sqlite_checkpoints, folder / "checkpoints.sqlite", connect)
        ) as graph,
    ):
        # A process that starts again has another name: what the last one had, nobody has.
        node, clock = uuid4().hex, SystemClock()
        runs = run_store(database, clock, node=node, lease_seconds=4)
        store = SqlConversationStore(database)
        log = MemoryEventLog(1_000_000, 10_000_000)
        asks = SqlAsks(database, clock, node)
        briefing = Briefing(store, SqlSpending(database, clock), budgets, 20)
        performer = Performer(
            graph,
            runs,
            asks,
            briefing,
            log,
            NoMeters(),
            is_shared=False,
            timeout_seconds=timeout_seconds,
            attempts=3,
        )
        runner = Runner(
            performer, runs, NoLeases(), MemorySignals(), slots=slots, scan_seconds=None
        )
        readings = Readings(log, store)
        async with asyncio.TaskGroup() as group:
            ready = asyncio.Event()
            serving = group.create_task(runner.serve(ready))
            await ready.wait()
            yield TurnsHouse(
                turns=Turns(runs, runner, AdmissionLimits(10, 5)),
                conversations=Conversations(store, runs, runner, log, graph, asks),
                follower=Follower(readings),
                replay=Replay(runs, store, asks),
                runs=runs,
                store=store,
                log=log,
                runner=runner,
                readings=readings,
                writer=scripted["writer"],
                agents=scripted,
            )
            serving.cancel()
