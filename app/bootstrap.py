"""Opens every part of the house, wires them, and closes them in reverse."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog
from fastapi import APIRouter

from app.agents.factory import build_agents
from app.api.agui import AguiDoor, agui_routes
from app.api.collections import collection_routes
from app.api.conversations import conversation_routes
from app.api.documents import document_routes
from app.api.entrance import Doors, Entrance
from app.api.health import (
    LimitsBody,
    ModelBody,
    Readiness,
    ServerBody,
    health_routes,
    server_routes,
)
from app.api.http import create_http
from app.api.jobs import job_routes
from app.api.search import search_routes
from app.compute.process_compute import ProcessCompute
from app.graph.checkpoints import sqlite_checkpoints
from app.graph.turn_graph import TurnGraph
from app.infra.blobs.disk_blob_store import DiskBlobStore
from app.infra.embedding.onnx_embedder import load_embedder
from app.infra.llm.model_choice import ChosenModel, choose_model
from app.infra.memory.event_log import MemoryEventLog
from app.infra.memory.presence import MemoryPresence
from app.infra.qdrant.edge_vector_store import EdgeVectorStore
from app.infra.qdrant.qdrant_vector_store import QdrantVectorStore
from app.infra.sql.collection_store import SqlCollectionStore
from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.document_store import SqlDocumentStore
from app.infra.sql.engine import Database
from app.infra.sql.job_queue import SqlJobQueue
from app.infra.sql.job_store import SqlJobStore
from app.infra.sql.passage_store import SqlPassageStore
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.schema import migrate
from app.infra.websocket.door import SocketDoor
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.ports import identify_local
from app.knowledge.ingestion import Ingestion
from app.knowledge.intake import Intake
from app.knowledge.job_runner import JobRunner
from app.knowledge.library import Library
from app.knowledge.search import Search
from app.tools.registry import build_tools
from app.turns.conversations import Conversations
from app.turns.following import Follower
from app.turns.performer import Performer
from app.turns.reading import Readings
from app.turns.replay import Replay
from app.turns.runner import Runner
from app.turns.turns import Turns
from core.clock import SystemClock
from core.errors import AppError
from core.ports.run_store import AdmissionLimits
from core.ports.vector_store import VectorStore
from core.settings import Settings

PAGE = Path(__file__).parent.parent / "web" / "dist"
GOING_AWAY_SECONDS = 2.0
# Young objects are looked through after so many allocations; the default 700 costs a pause of
# 100 ms now and then at 500 streams.
GC_THRESHOLDS = (50_000, 20, 100)

log = structlog.get_logger(__name__)


def create_app(settings: Settings) -> Entrance:
    """Return the application; nothing is opened before its lifespan begins."""
    return Entrance(partial(open_house, settings))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The floor of documents, and what runs in its background."""

    search: Search
    library: Library
    intake: Intake
    jobs: SqlJobStore
    runner: JobRunner


@dataclass(frozen=True, slots=True)
class Speech:
    """The floor of turns, and what runs in its background."""

    turns: Turns
    conversations: Conversations
    readings: Readings
    replay: Replay
    runner: Runner
    graph: TurnGraph


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[Doors]:
    """Give the open house; leaving it closes everything, in reverse.

    Raises `SettingsError` or `AppError` where a part can't be opened; those that were are closed.
    """
    async with AsyncExitStack() as stack:
        database = Database.sqlite(settings.database_path)
        stack.push_async_callback(database.close)
        await migrate(database)
        compute = await stack.enter_async_context(_compute(settings))
        vectors = await _vectors(settings)
        stack.push_async_callback(vectors.close)
        chosen = await choose_model(settings)
        if chosen.model is not None:
            stack.push_async_callback(chosen.model.close)
        knowledge = _knowledge(settings, database, vectors, compute)
        speech = await _speech(settings, stack, database, knowledge.search, chosen)
        sockets = _sockets(settings, speech)
        ready = asyncio.Event()
        await stack.enter_async_context(
            _background(
                speech.runner.serve(ready),
                knowledge.runner.run(),
                sockets.run(),
                _warm(speech.graph, compute, chosen),
            )
        )
        await ready.wait()
        yield Doors(
            http=create_http(
                _version(),
                _routes(settings, knowledge, speech, chosen),
                health_routes(_readiness(database, speech)),
                PAGE,
                settings.allowed_origins,
            ),
            sockets=sockets,
            drain=partial(_drain, settings, sockets, speech.runner),
        )


def _compute(settings: Settings) -> ProcessCompute:
    models = settings.data_dir / "models"
    return ProcessCompute(
        partial(load_embedder, models, settings.embedding_model_path),
        workers=settings.compute_workers,
        read_timeout_seconds=settings.read_timeout_seconds,
    )


async def _vectors(settings: Settings) -> VectorStore:
    if settings.qdrant_url:
        key = settings.qdrant_api_key.get_secret_value()
        return QdrantVectorStore.connect(settings.qdrant_url, key)
    return await asyncio.to_thread(EdgeVectorStore.open, settings.data_dir / "vectors")


def _knowledge(
    settings: Settings, database: Database, vectors: VectorStore, compute: ProcessCompute
) -> Knowledge:
    clock = SystemClock()
    collections = SqlCollectionStore(database, clock)
    documents = SqlDocumentStore(database)
    passages = SqlPassageStore(database)
    jobs = SqlJobStore(database, clock)
    queue = SqlJobQueue(database, clock)
    blobs = DiskBlobStore(settings.data_dir / "blobs")
    blobs.sweep()
    runner = JobRunner(queue, Ingestion(queue, passages, vectors, blobs, compute))
    return Knowledge(
        search=Search(collections, documents, passages, vectors, compute),
        library=Library(collections, documents, passages, jobs, vectors, blobs),
        intake=Intake(
            collections, jobs, blobs, runner.wake, file_limit_bytes=settings.upload_max_bytes
        ),
        jobs=jobs,
        runner=runner,
    )


async def _speech(
    settings: Settings,
    stack: AsyncExitStack,
    database: Database,
    search: Search,
    chosen: ChosenModel,
) -> Speech:
    clock = SystemClock()
    agents = build_agents(
        search,
        chosen.model,
        build_tools(clock),
        passage_limit=settings.passage_limit,
        passage_token_budget=settings.passage_token_budget,
    )
    graph = TurnGraph(agents, partial(sqlite_checkpoints, settings.checkpoint_path))
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


def _sockets(settings: Settings, speech: Speech) -> SocketDoor:
    house = House(
        node=socket.gethostname(),
        identify=identify_local,
        turns=speech.turns,
        readings=speech.readings,
        presence=MemoryPresence(),
        clock=SystemClock(),
    )
    return SocketDoor(house, SocketLimits.from_settings(settings), settings.allowed_origins)


def _routes(
    settings: Settings, knowledge: Knowledge, speech: Speech, chosen: ChosenModel
) -> list[APIRouter]:
    server = ServerBody(
        version=_version(),
        model=ModelBody(kind=chosen.kind, name=chosen.name),
        limits=LimitsBody(
            upload_max_bytes=settings.upload_max_bytes, frame_max_bytes=settings.frame_max_bytes
        ),
    )
    return [
        server_routes(server),
        collection_routes(knowledge.library),
        document_routes(knowledge.library, knowledge.intake, settings.upload_max_bytes),
        job_routes(knowledge.jobs),
        search_routes(knowledge.search),
        agui_routes(AguiDoor(speech.turns, Follower(speech.readings), speech.replay)),
        conversation_routes(speech.conversations),
    ]


def _readiness(database: Database, speech: Speech) -> Readiness:
    return Readiness(lambda: speech.runner.is_draining, {"database": database.ping})


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


async def _warm(graph: TurnGraph, compute: ProcessCompute, chosen: ChosenModel) -> None:
    """Do once the process serves what would make its first turns slow."""
    try:
        await graph.warm()
        await chosen.warm()
        await compute.warm()
    except AppError as error:
        # The server serves all the same: what needs this will say so itself.
        log.warning("warm.failed", code=error.code, reason=error.message)
    # What is there now stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _drain(settings: Settings, sockets: SocketDoor, runner: Runner) -> None:
    sockets.drain(GOING_AWAY_SECONDS)
    await runner.drain(settings.drain_seconds)
    await sockets.close_all(GOING_AWAY_SECONDS)


def _version() -> str:
    try:
        return version("colloquy")
    except PackageNotFoundError:
        # A clone that runs in place is not installed.
        return "0.1.0"
