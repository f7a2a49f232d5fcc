"""Opens what nodes share beside the database: events, connections, wake-ups, the list of nodes."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from app.infra.memory.circuits import MemoryCircuits
from app.infra.memory.event_log import MemoryEventLog
from app.infra.memory.fleet import MemoryFleet
from app.infra.memory.presence import MemoryPresence
from app.infra.memory.signals import MemorySignals
from app.infra.telemetry.metrics import Metrics
from core.errors import NotFound, StorageUnavailable
from core.ports.circuits import SharedCircuits
from core.ports.event_log import EventLog, EventTail
from core.ports.fleet import Fleet
from core.ports.neighbours import Pulse
from core.ports.presence import Presence
from core.ports.run_store import RunRecords
from core.ports.signals import Signals
from core.runs import Run
from core.settings import Settings

if TYPE_CHECKING:
    from app.infra.redis.channels import ControlChannel
    from app.infra.redis.connection import Client
    from app.infra.redis.log.stats import LogStats

# A Redis that is away at the start does not hold the start up.
LOOK_SECONDS = 3.0

log = structlog.get_logger(__name__)


class Log(EventLog, EventTail, Protocol):
    """Both sides of the log."""


@dataclass(frozen=True, slots=True)
class Links:
    """What one node has of the others.

    pulse: whether the log is there; None where it is this process's own.
    background: what runs as long as the house is open.
    checks: what a node that is ready can reach, by name.
    """

    events: Log
    presence: Presence
    signals: Signals
    fleet: Fleet
    circuits: SharedCircuits
    pulse: Pulse | None = None
    background: Sequence[Callable[[], Coroutine[object, object, None]]] = ()
    checks: Sequence[tuple[str, Callable[[], Awaitable[object]]]] = ()


async def open_links(
    settings: Settings, node: str, records: RunRecords, metrics: Metrics, stack: AsyncExitStack
) -> Links:
    """Return what the settings name; `stack` closes it. Raises `SettingsError`."""
    if settings.shares_log:
        return await _open_redis(settings, node, records, metrics, stack)
    events = MemoryEventLog(settings.log_max_bytes, settings.log_total_bytes)
    return Links(events, MemoryPresence(), MemorySignals(), MemoryFleet(node), MemoryCircuits())


async def _open_redis(
    settings: Settings, node: str, records: RunRecords, metrics: Metrics, stack: AsyncExitStack
) -> Links:
    # Deferred: one node alone needs none of it.
    from app.infra.redis.channels import ControlChannel
    from app.infra.redis.circuits import RedisCircuits
    from app.infra.redis.connection import connect
    from app.infra.redis.fleet import RedisFleet
    from app.infra.redis.log.event_log import RedisEventLog
    from app.infra.redis.log.pulse import RedisPulse
    from app.infra.redis.log.servers import Servers
    from app.infra.redis.presence import RedisPresence
    from app.infra.redis.signals import RedisSignals

    url = settings.redis_url.get_secret_value()
    client = connect(url, is_cluster=settings.redis_cluster)
    stack.push_async_callback(client.aclose)
    await _look_at(client)
    events = RedisEventLog(
        url,
        node=node,
        conversation_bytes=settings.log_max_bytes,
        total_bytes=settings.log_total_bytes,
        is_cluster=settings.redis_cluster,
        is_held=_holder(records),
    )
    servers = Servers(url, is_cluster=settings.redis_cluster, name=node)
    pulse = RedisPulse(servers, lambda: events.unanswered_since)
    channel = ControlChannel(client, node)
    fleet = RedisFleet(client, node)
    circuits = RedisCircuits(
        client,
        channel,
        failures=settings.breaker_failures,
        open_seconds=settings.breaker_open_seconds,
    )
    presence = RedisPresence(client, node, fleet, channel)
    _show_log(metrics, events.stats)
    _show_channel(metrics, channel)
    return Links(
        events,
        presence,
        RedisSignals(channel),
        fleet,
        circuits,
        pulse,
        background=(events.run, pulse.run, channel.run, presence.run, circuits.run),
        checks=(("redis", fleet.nodes),),
    )


async def _look_at(client: "Client") -> None:
    """Say what is at risk with this Redis; one that is away is waited for by whoever needs it."""
    from app.infra.redis.connection import check_server
    from app.infra.redis.deadline import deadline

    try:
        async with deadline(LOOK_SECONDS):
            facts = await check_server(client)
    except (StorageUnavailable, TimeoutError):
        log.warning("redis.away", reason="Redis can't be reached; it is tried again.")
        return
    for sentence in facts.warnings:
        log.warning("redis.at_risk", reason=sentence)


def _holder(records: RunRecords) -> Callable[[Run], Awaitable[bool]]:
    async def is_held(run: Run) -> bool:
        try:
            now = await records.get(run.principal, run.id)
        except NotFound:
            return False
        return now.fence == run.fence

    return is_held


def _show_channel(metrics: Metrics, channel: "ControlChannel") -> None:
    metrics.readings.counter(
        "colloquy_control_dropped_total",
        "Messages to other nodes that were dropped while Redis was down.",
        lambda: channel.dropped,
    )
    metrics.readings.counter(
        "colloquy_control_reconnects_total",
        "Lost connections of the control channel.",
        lambda: channel.reconnects,
    )


def _show_log(metrics: Metrics, stats: "LogStats") -> None:
    stats.observe = metrics.append_took
    readings = metrics.readings
    readings.gauge(
        "colloquy_log_pending_bytes", "Said and not yet in Redis.", lambda: stats.pending_bytes
    )
    readings.counter(
        "colloquy_log_fenced_total",
        "Appends refused because another attempt speaks.",
        lambda: stats.fenced,
    )
    readings.counter(
        "colloquy_log_gaps_total",
        "How often Redis had lost what was sent again.",
        lambda: stats.gaps,
    )
    readings.counter(
        "colloquy_log_resyncs_total",
        "How often a reader's copy was filled or replaced.",
        lambda: stats.resyncs,
    )
    readings.counter(
        "colloquy_log_reconnects_total", "Lost connections to Redis.", lambda: stats.reconnects
    )
