"""Faults of nodes: killed, frozen, asked to leave."""

import signal
from functools import partial

from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.named_lines import NamedLines
from scripts.chaos.faults.scene import Scene

# A machine that is busy with other things is slow to stop them; the bar is 15 s.
_EXIT_SECONDS = 60.0
_HIT_SECONDS = 30.0


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
            scene.notes.append(f"{node.name} left in {took:.1f} s (bar 15)")
        await scene.rig.restart(node)
        await scene.over(runs, _HIT_SECONDS)


def node_faults() -> list[Fault]:
    """Return F1 to F4."""
    lines = NamedLines()
    # Longer than a node has to drain: what it can't finish, it hands over.
    long = Habits(tokens=300)
    return [
        Fault("F1", "kill -9 of an owner", kill_owner, 50, subset=5, bar=Bar(5.5, 8.0)),
        Fault("F1b", "kill -9 of any node", kill_any, 10, bar=Bar(5.5, 8.0)),
        Fault("F2", "killed at 12 named lines", lines.inject, 120, subset=12, limit_seconds=1800),
        Fault(
            "F3", "SIGTERM of all nodes in turn", roll, 5, subset=1, bar=Bar(1.0, 3.0), habits=long
        ),
        Fault("F4.7", "SIGSTOP 7 s", partial(freeze, seconds=7.0), 12, bar=Bar(7.0)),
        Fault("F4.20", "SIGSTOP 20 s", partial(freeze, seconds=20.0), 12, bar=Bar(7.0)),
    ]
