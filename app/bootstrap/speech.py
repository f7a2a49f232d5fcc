"""Opens the floor of turns: agents, graph, log, runner."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from app.agents.factory import build_agents
from app.agents.spending import Prices
from app.bootstrap.links import Links
from app.bootstrap.storage import Storage
from app.bootstrap.tools import ToolHouse, budgets_of
from app.graph.turn_graph import TurnGraph
from app.infra.sql.conversation_store import SqlConversationStore
from app.knowledge.search import Search
from app.turns.briefing import Briefing
from app.turns.conversations import Conversations
from app.turns.performer import Performer
from app.turns.reading import Readings
from app.turns.replay import Replay
from app.turns.runner import Runner
from app.turns.turns import Turns
from core.ports.chat_model import ChatModel
from core.ports.meters import Meters
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
    storage: Storage,
    links: Links,
    search: Search,
    tools: ToolHouse,
    model: ChatModel | None,
    meters: Meters,
) -> Speech:
    """Return the floor of turns; its `runner.serve` answers. `stack` closes what was opened."""
    graph = _graph(settings, storage, search, tools, model)
    await stack.enter_async_context(graph)
    runs = storage.runs
    store = SqlConversationStore(storage.database)
    events = links.events
    briefing = Briefing(store, tools.spending, budgets_of(settings), settings.history_messages)
    performer = Performer(
        graph,
        runs,
        tools.asks,
        briefing,
        events,
        meters,
        is_shared=settings.shares_log,
        timeout_seconds=settings.run_timeout_seconds,
        attempts=settings.run_attempts,
    )
    runner = Runner(
        performer,
        runs,
        storage.leases,
        links.signals,
        slots=settings.run_slots,
        scan_seconds=settings.scan_seconds if settings.shares_log else None,
    )
    limits = AdmissionLimits(settings.run_queue, settings.conversation_queue)
    return Speech(
        turns=Turns(runs, runner, limits),
        conversations=Conversations(store, runs, runner, events, graph, tools.asks),
        readings=Readings(events, store),
        replay=Replay(runs, store, tools.asks),
        runner=runner,
        graph=graph,
    )


def _graph(
    settings: Settings,
    storage: Storage,
    search: Search,
    tools: ToolHouse,
    model: ChatModel | None,
) -> TurnGraph:
    agents = build_agents(
        search,
        model,
        tools.executor,
        passage_limit=settings.passage_limit,
        passage_token_budget=settings.passage_token_budget,
        tool_rounds=settings.tool_rounds,
        prices=Prices(settings.model_input_price, settings.model_output_price),
    )
    return TurnGraph(agents, storage.checkpoints)
