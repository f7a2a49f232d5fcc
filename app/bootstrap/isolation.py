"""Lets a node step aside while it alone has lost what all share."""

from functools import partial

from app.bootstrap.links import Links
from app.bootstrap.storage import Storage
from app.infra.telemetry.metrics import Metrics
from app.infra.websocket.door import SocketDoor
from app.turns.isolation import Isolation
from app.turns.runner import Runner

# Its readers see nothing meanwhile; and other nodes are there at once.
SEND_AWAY_SECONDS = 1.0


async def watch_isolation(
    storage: Storage, links: Links, runner: Runner, sockets: SocketDoor, metrics: Metrics
) -> None:
    """Look until cancelled; returns at once where nothing is shared."""
    if links.pulse is None:
        return
    isolation = Isolation(links.pulse, storage.neighbours)
    metrics.readings.counter(
        "colloquy_cut_off_total",
        "How often this node gave its runs away because it alone did not reach Redis.",
        lambda: isolation.count,
    )
    await isolation.run(partial(_step_aside, runner, sockets), partial(_step_in, runner, sockets))


async def _step_aside(runner: Runner, sockets: SocketDoor) -> None:
    runner.step_aside()
    await sockets.send_away(SEND_AWAY_SECONDS)


def _step_in(runner: Runner, sockets: SocketDoor) -> None:
    runner.step_in()
    sockets.let_in()
