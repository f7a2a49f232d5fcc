"""Says which numbers of the house Prometheus is shown, and where they are kept."""

from app.infra.telemetry.metrics import Metrics
from app.infra.telemetry.run_states import RunStates
from app.infra.websocket.door import SocketDoor, SocketTraffic
from app.turns.runner import Runner
from core.ports.run_census import RunCensus


def show_runs(metrics: Metrics, runner: Runner, census: RunCensus) -> None:
    """Show what this node has at work, and what all nodes have."""
    states = RunStates(census)
    metrics.sample(states.look)
    readings = metrics.readings
    readings.gauges("colloquy_runs", "Runs of all nodes, by state.", "state", states.counts)
    readings.gauge("colloquy_slots", "Runs that may be at work here.", lambda: runner.slots)
    readings.gauge(
        "colloquy_slots_used", "Runs that are at work here.", lambda: len(runner.at_work())
    )
    readings.gauge(
        "colloquy_slots_free",
        "Runs that could begin here now.",
        lambda: runner.free_slots,
    )


def show_sockets(metrics: Metrics, sockets: SocketDoor) -> None:
    """Show what the sockets of this node amount to."""
    last = SocketTraffic(0, 0, 0)

    async def look() -> None:
        nonlocal last
        last = await sockets.traffic()

    metrics.sample(look)
    readings = metrics.readings
    readings.gauge("colloquy_sockets", "Open sockets.", lambda: sockets.socket_count)
    readings.gauge(
        "colloquy_subscriptions", "Conversations that sockets read.", lambda: last.subscriptions
    )
    readings.gauge(
        "colloquy_outbox_bytes",
        "What clients that had caught up have not taken yet.",
        lambda: last.lag_bytes,
    )
