"""Opens the front doors: HTTP and sockets."""

from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.api.agui import AguiDoor, agui_routes
from app.api.breakers import breaker_routes
from app.api.collections import collection_routes
from app.api.conversations import conversation_routes
from app.api.documents import document_routes
from app.api.entrance import Doors
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
from app.api.mcp.asking import Asking
from app.api.mcp.door import McpDoor, mcp_routes
from app.api.mcp.tools import offered_tools
from app.api.metrics import metric_routes
from app.api.operations import operation_routes
from app.api.search import search_routes
from app.bootstrap.knowledge import Knowledge
from app.bootstrap.links import Links
from app.bootstrap.speech import Speech
from app.bootstrap.storage import Storage
from app.infra.llm.model_choice import ChosenModel
from app.infra.telemetry.metrics import Metrics
from app.infra.websocket.door import SocketDoor
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.ports import identify_local
from app.turns.following import Follower
from app.turns.runner import Runner
from core.clock import SystemClock
from core.ports.breakers import Breakers
from core.settings import Settings

PAGE = Path(__file__).parents[2] / "web" / "dist"
GOING_AWAY_SECONDS = 2.0


def make_doors(
    settings: Settings,
    storage: Storage,
    links: Links,
    knowledge: Knowledge,
    speech: Speech,
    sockets: SocketDoor,
    mcp: McpDoor,
    chosen: ChosenModel,
    breakers: Breakers,
    metrics: Metrics,
) -> Doors:
    """Return the doors, which only talk to turns and to knowledge."""
    checks = {"database": storage.database.ping, **dict(links.checks)}
    runner = speech.runner
    readiness = Readiness(lambda: runner.is_draining, lambda: runner.is_aside, checks)
    agui = AguiDoor(speech.turns, Follower(speech.readings), speech.replay)
    routers = [
        server_routes(_server(settings, chosen)),
        collection_routes(knowledge.library),
        document_routes(knowledge.library, knowledge.intake, settings.upload_max_bytes),
        job_routes(knowledge.jobs),
        search_routes(knowledge.search),
        agui_routes(agui),
        conversation_routes(speech.conversations),
        operation_routes(links.fleet, links.presence, storage.census),
        breaker_routes(breakers),
    ]
    origins = settings.allowed_origins
    health = health_routes(readiness)
    health.include_router(metric_routes(metrics.text))
    health.include_router(mcp_routes(mcp))
    return Doors(
        http=create_http(_version(), routers, health, PAGE, origins),
        sockets=sockets,
        drain=partial(_drain, settings, sockets, runner),
    )


def make_sockets(settings: Settings, node: str, links: Links, speech: Speech) -> SocketDoor:
    """Return the door for sockets; its `run` keeps their time."""
    house = House(
        node=node,
        identify=identify_local,
        turns=speech.turns,
        readings=speech.readings,
        presence=links.presence,
        clock=SystemClock(),
    )
    return SocketDoor(house, SocketLimits.from_settings(settings), settings.allowed_origins)


def make_mcp(knowledge: Knowledge, speech: Speech) -> McpDoor:
    """Return the door for MCP's clients; its `run` owns what they ask."""
    asking = Asking(speech.turns, Follower(speech.readings), speech.conversations)
    return McpDoor(offered_tools(knowledge.search, knowledge.library, asking), _version())


def _server(settings: Settings, chosen: ChosenModel) -> ServerBody:
    return ServerBody(
        version=_version(),
        model=ModelBody(kind=chosen.kind, name=chosen.name),
        limits=LimitsBody(
            upload_max_bytes=settings.upload_max_bytes, frame_max_bytes=settings.frame_max_bytes
        ),
    )


async def _drain(settings: Settings, sockets: SocketDoor, runner: Runner) -> None:
    # Other nodes are there at once; a single one has to be started again first.
    sockets.drain(0.0 if settings.has_fleet else GOING_AWAY_SECONDS)
    await runner.drain(settings.drain_seconds, hand_over=settings.has_fleet)
    await sockets.close_all(GOING_AWAY_SECONDS)


def _version() -> str:
    try:
        return version("colloquy")
    except PackageNotFoundError:
        # A clone that runs in place is not installed.
        return "0.1.0"
