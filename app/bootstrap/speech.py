"""Opens the floor of turns: agents, graph, log, runner."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from app.agents.factory import build_agents
from app.graph.checkpoints import sqlite_checkpoints
from app.graph.turn_graph import TurnGraph
from app.infra.llm.model_choice import ChosenModel
from app.infra.memory.event_log import MemoryEventLog
from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.eager_sqlite import connect
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.knowledge.search import Search
from app.tools.registry import build_tools
from app.turns.conversations import Conversations
from app.turns.performer import Performer
from app.turns.reading import Readings
from app.turns.replay import Replay
from app.turns.runner import Runner
from app.turns.turns import Turns
from core.clock import SystemClock
from core.ports.run_store import AdmissionLimits
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Speech:
    """The floor of turns, and what runs in its background."""

    turns: Turns
    conversations: Conversations
    readings: Readings
    replay: Replay
    runner: Runner
    graph: TurnGraph


async def open_speech(
    settings: Settings,
    stack: AsyncExitStack,
    database: Database,
    search: Search,
    chosen: ChosenModel,
) -> Speech:
    """Return the floor of turns; its `runner.serve` answers. `stack` closes what was opened."""
    clock = SystemClock()
    agents = build_agents(
        search,
        chosen.model,
        build_tools(clock),
        passage_limit=settings.passage_limit,
        passage_token_budget=settings.passage_token_budget,
    )
    graph = TurnGraph(agents, partial(sqlite_checkpoints, settings.checkpoint_path, connect))
    await stack.enter_async_context(graph)
    runs = SqlRunStore(database, clock)
    store = SqlConversationStore(database)
    events = MemoryEventLog(settings.log_max_bytes, settings.log_total_bytes)
    performer = Performer(
        graph,
        runs,
        store,
        events,
        clock,
        timeout_seconds=settings.run_timeout_seconds,
        history_messages=settings.history_messages,
        attempts=settings.run_attempts,
    )
    runner = Runner(performer, runs, settings.run_slots)
    limits = AdmissionLimits(settings.run_queue, settings.conversation_queue)
    return Speech(
        turns=Turns(runs, runner, limits),
        conversations=Conversations(store, runs, runner, events, graph),
        readings=Readings(events, store),
        replay=Replay(runs, store),
        runner=runner,
        graph=graph,
    )
