"""Opens the whole house and keeps its background work."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from app.api.entrance import Doors, Entrance
from app.bootstrap.doors import make_doors, make_mcp, make_sockets
from app.bootstrap.isolation import watch_isolation
from app.bootstrap.knowledge import make_compute, open_knowledge, open_vectors
from app.bootstrap.links import open_links
from app.bootstrap.node_name import node_name
from app.bootstrap.numbers import show_runs, show_sockets
from app.bootstrap.speech import open_speech
from app.bootstrap.storage import open_storage
from app.bootstrap.tools import make_breakers, open_tools
from app.compute.process_compute import ProcessCompute
from app.graph.turn_graph import TurnGraph
from app.infra.llm.guarded_chat_model import GuardedChatModel
from app.infra.llm.model_choice import ChosenModel, choose_model
from app.infra.telemetry.metrics import Metrics
from app.infra.websocket.door import SocketDoor
from app.turns.runner import Runner
from core.errors import AppError
from core.ports.breakers import StreamBreakers
from core.ports.fleet import NodeLoad
from core.settings import Settings

# Young objects are looked through after so many allocations; the default 700 costs a pause of
# 100 ms now and then at 500 streams.
GC_THRESHOLDS = (50_000, 20, 100)


log = structlog.get_logger(__name__)


def create_app(settings: Settings) -> Entrance:
    """Return the application; nothing is opened before its lifespan begins."""
    return Entrance(partial(open_house, settings))


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[Doors]:
    """Give the open house; leaving it closes everything, in reverse.

    Raises `SettingsError` or `AppError` where a part can't be opened; those that were are closed.
    """
    async with AsyncExitStack() as stack:
        node = node_name(settings)
        metrics = Metrics()
        storage = await open_storage(settings, node, stack)
        links = await open_links(settings, node, storage.runs, metrics, stack)
        compute = await stack.enter_async_context(make_compute(settings))
        vectors = await open_vectors(settings)
        stack.push_async_callback(vectors.close)
        chosen = await choose_model(settings)
        if chosen.model is not None:
            stack.push_async_callback(chosen.model.close)
        knowledge = open_knowledge(settings, node, storage.database, vectors, compute)
        breakers = make_breakers(settings, links, metrics)
        has_model = chosen.model is not None
        tools = await open_tools(
            settings, node, storage, breakers, knowledge.search, stack, has_model=has_model
        )
        model = _guarded(settings, chosen, breakers)
        speech = await open_speech(
            settings, stack, storage, links, knowledge.search, tools, model, metrics
        )
        sockets = make_sockets(settings, node, links, speech)
        mcp = make_mcp(knowledge, speech)
        show_runs(metrics, speech.runner, storage.census)
        show_sockets(metrics, sockets)
        ready, warm = asyncio.Event(), asyncio.Event()
        await stack.enter_async_context(
            _background(
                *(w() for w in (*storage.background, *links.background, *tools.background)),
                speech.runner.serve(ready, warm if settings.has_fleet else None),
                knowledge.runner.run(),
                sockets.run(),
                mcp.run(),
                watch_isolation(storage, links, speech.runner, sockets, metrics),
                links.fleet.keep(partial(_load, sockets, speech.runner)),
                metrics.run(),
                _warm(speech.graph, compute, chosen, warm),
            )
        )
        await ready.wait()
        yield make_doors(
            settings, storage, links, knowledge, speech, sockets, mcp, chosen, breakers, metrics
        )


@asynccontextmanager
async def _background(*work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run work beside the house; one that fails ends the house, leaving ends the work."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _guarded(
    settings: Settings, chosen: ChosenModel, breakers: StreamBreakers
) -> GuardedChatModel | None:
    """Return the model behind its breaker; None where there is none."""
    if chosen.model is None:
        return None
    # Longer than the model's own deadlines with their repetitions before the first token.
    seconds = settings.model_total_seconds + 3 * settings.model_first_token_seconds
    provider = settings.model_provider if chosen.kind == "langchain" else chosen.kind
    return GuardedChatModel(chosen.model, breakers, provider=provider, seconds=seconds)


def _load(sockets: SocketDoor, runner: Runner) -> NodeLoad:
    return NodeLoad(
        connections=sockets.socket_count,
        runs=len(runner.at_work()),
        slots=runner.slots,
        is_draining=runner.is_draining,
    )


async def _warm(
    graph: TurnGraph, compute: ProcessCompute, chosen: ChosenModel, warm: asyncio.Event
) -> None:
    """Do once the process serves what would make its first turns slow; set `warm` then."""
    try:
        await graph.warm()
        await chosen.warm()
        await compute.warm()
    except AppError as error:
        # The server serves all the same: what needs this will say so itself.
        log.warning("warm.failed", code=error.code, reason=error.message)
    warm.set()
    # What is there now stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
