"""F2: a node that kills itself at a named line, by whatever makes it pass there."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from itertools import cycle

from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.driver.client import Client
from scripts.chaos.faults.scene import Scene
from scripts.chaos.rig.rig import Node

# Those that a run of one's own does not pass.
_OF_TAKEOVERS = ("after_claim", "after_take", "during_snapshot")
_OF_LEAVING = ("after_release",)
NAMES = (
    "after_admit",
    "after_append",
    "after_checkpoint",
    "after_step",
    "before_finish",
    "after_finish",
    "before_tell",
    "after_tell",
    *_OF_TAKEOVERS,
    *_OF_LEAVING,
)
_HIT_SECONDS = 30.0
_ASK_SECONDS = 120.0
_POINT_SECONDS = 6.0
_LEAVE_SECONDS = 25.0
_POLL_SECONDS, _POLLS = 0.1, 100
_DOWN_SECONDS = 0.5
# Longer than their leases.
_OTHERS_DOWN_SECONDS = 6.0
_SHORT = "Hello there! [[tokens=30 rate=30 voice=1]]"
# Longer than a node has to drain.
_LONG = "Hello there! [[tokens=300 rate=30 voice=1]]"

Provoke = Callable[[Scene, Node], Awaitable[None]]


class NamedLines:
    """Takes the lines in turn."""

    def __init__(self) -> None:
        self._names = cycle(NAMES)

    async def inject(self, scene: Scene) -> None:
        """Let a node die at the next of them."""
        await kill_at(scene, next(self._names))


async def kill_at(scene: Scene, name: str) -> None:
    """Let one node kill itself at a named line, while somebody asks just there."""
    node = scene.chance.choice(scene.rig.nodes)
    await node.process.kill()
    await scene.rig.restart(node, COLLOQUY_FAILPOINT=name)
    guest = _guest(scene, node, name)
    question = guest.prepare(_LONG if name in _OF_LEAVING else _SHORT)
    async with asyncio.TaskGroup() as group:
        stays = group.create_task(guest.run())
        asks = group.create_task(guest.ask(question, _ASK_SECONDS))
        await _pass(scene, node, name)
        runs = [*scene.asked(), question.run_id]
        scene.mark(f"died at {name}", runs)
        await asyncio.sleep(_DOWN_SECONDS)
        await scene.rig.restart(node)
        await scene.over(runs, _HIT_SECONDS)
        if not (await asks).has_ended:
            scene.failures.append(f"the run at {name} was not answered")
        stays.cancel()


def _guest(scene: Scene, node: Node, name: str) -> Client:
    urls = [each.socket_url for each in scene.rig.nodes]
    addresses = Addresses(urls, scene.chance, first=node.socket_url)
    return Client(f"guest-{name}-{node.process.pid}", addresses, scene.history, scene.chance)


async def _pass(scene: Scene, node: Node, name: str) -> None:
    """Make the node pass there; it is dead afterwards."""
    for provoke in _provocations(name):
        await provoke(scene, node)
        seconds = _LEAVE_SECONDS if provoke is _leave else _POINT_SECONDS
        if await node.process.ended(seconds) is not None:
            return
    scene.failures.append(f"{name} was never passed")
    await node.process.kill()


def _provocations(name: str) -> tuple[Provoke, ...]:
    if name in _OF_LEAVING:
        return (_wait_for_work, _leave)
    if name in _OF_TAKEOVERS:
        return (_kill_others, _kill_others, _leave)
    return (_wait_for_work, _kill_others, _leave)


async def _wait_for_work(scene: Scene, node: Node) -> None:
    """Let it have a run, or die of it."""
    for _ in range(_POLLS):
        if not node.process.is_up or node in (await scene.owners()).values():
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _kill_others(scene: Scene, node: Node) -> None:
    """Leave all runs to it."""
    others = [each for each in scene.rig.nodes if each is not node]
    runs = [run for run, owner in (await scene.owners()).items() if owner in others]
    scene.mark(f"killed {', '.join(other.name for other in others)}", runs)
    for other in others:
        await other.process.kill()
    await node.process.ended(_OTHERS_DOWN_SECONDS)
    async with asyncio.TaskGroup() as group:
        for other in others:
            group.create_task(scene.rig.restart(other))


async def _leave(scene: Scene, node: Node) -> None:
    """Let it hand its runs over."""
    node.process.send(signal.SIGTERM)
