"""Faults of nodes: killed, frozen, asked to leave, killed at a named line."""

import asyncio
import signal
from functools import partial
from itertools import cycle

from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.rig.rig import Node

FAILPOINTS = (
    "after_admit",
    "after_claim",
    "after_take",
    "after_append",
    "after_checkpoint",
    "after_step",
    "before_finish",
    "after_finish",
    "before_tell",
    "after_tell",
    "during_snapshot",
    "after_release",
)
_EXIT_SECONDS = 20.0
_HIT_SECONDS = 30.0
_POINT_SECONDS = 6.0


async def kill_owner(scene: Scene) -> None:
    """Kill the node with the most answers on the way."""
    node, runs = await scene.busiest()
    await scene.killed(node, runs)
    await scene.over(runs, _HIT_SECONDS)


async def kill_any(scene: Scene) -> None:
    """Kill a node by chance."""
    node = scene.chance.choice(scene.rig.nodes)
    runs = [run for run, owner in (await scene.owners()).items() if owner is node]
    await scene.killed(node, runs)
    await scene.over(runs, _HIT_SECONDS)


async def freeze(scene: Scene, seconds: float) -> None:
    """Stop the busiest node long enough for others to take its runs, and let it go on."""
    node, runs = await scene.busiest()
    await scene.frozen(node, runs, seconds)
    await scene.over(runs, _HIT_SECONDS)


async def roll(scene: Scene) -> None:
    """Ask one node after the other to leave, and start it again."""
    for node in scene.rig.nodes:
        runs = [run for run, owner in (await scene.owners()).items() if owner is node]
        scene.mark(f"SIGTERM {node.socket_url}", runs)
        node.process.send(signal.SIGTERM)
        took = await node.process.ended(_EXIT_SECONDS)
        if took is None:
            scene.failures.append(f"{node.name} did not end within {_EXIT_SECONDS:.0f} s")
            await node.process.kill()
        else:
            scene.notes.append(f"{node.name} left in {took:.1f} s")
        await scene.rig.restart(node)
        await scene.over(runs, _HIT_SECONDS)


class Points:
    """Takes the named lines in turn."""

    def __init__(self) -> None:
        self._names = cycle(FAILPOINTS)

    async def inject(self, scene: Scene) -> None:
        """Let a node die at the next of them."""
        await kill_at(scene, next(self._names))


async def kill_at(scene: Scene, name: str) -> None:
    """Let one node kill itself at a named line, by whatever makes it pass there."""
    node = scene.chance.choice(scene.rig.nodes)
    await node.process.kill()
    await scene.rig.restart(node, COLLOQUY_FAILPOINT=name)
    for provoke in (_wait, _kill_another, _kill_another, _leave):
        await provoke(scene, node)
        if await node.process.ended(_POINT_SECONDS) is not None:
            break
    else:
        scene.failures.append(f"{name} was never passed")
        await node.process.kill()
    runs = scene.asked()
    scene.mark(f"died at {name}", runs)
    await asyncio.sleep(0.5)
    await scene.rig.restart(node)
    await scene.over(runs, _HIT_SECONDS)


async def _wait(scene: Scene, node: Node) -> None:
    """Let it work: most lines are passed with every run."""


async def _kill_another(scene: Scene, node: Node) -> None:
    """Leave it runs to take over."""
    other = scene.chance.choice([each for each in scene.rig.nodes if each is not node])
    runs = [run for run, owner in (await scene.owners()).items() if owner is other]
    scene.mark(f"killed {other.name}", runs)
    await other.process.kill()
    await asyncio.sleep(0.5)
    await scene.rig.restart(other)


async def _leave(scene: Scene, node: Node) -> None:
    """Let it hand its runs over."""
    node.process.send(signal.SIGTERM)


def node_faults() -> list[Fault]:
    """Return F1 to F4."""
    # Longer than a node has to drain: what it can't finish, it hands over.
    long = Habits(tokens=300)
    return [
        Fault("F1", "kill -9 of an owner", kill_owner, 50, subset=5, bar=Bar(5.5, 8.0)),
        Fault("F1b", "kill -9 of any node", kill_any, 10, bar=Bar(5.5, 8.0)),
        Fault(
            "F2", "killed at 12 named lines", Points().inject, 120, subset=12, limit_seconds=1800
        ),
        Fault(
            "F3", "SIGTERM of all nodes in turn", roll, 5, subset=1, bar=Bar(1.0, 3.0), habits=long
        ),
        Fault("F4.7", "SIGSTOP 7 s", partial(freeze, seconds=7.0), 12, bar=Bar(7.0)),
        Fault("F4.20", "SIGSTOP 20 s", partial(freeze, seconds=20.0), 12, bar=Bar(7.0)),
    ]
