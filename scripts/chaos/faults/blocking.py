"""F14, F20: a node whose loop stands still while its threads live, or whose clock is wrong."""

import asyncio
import signal
from functools import partial
from pathlib import Path

from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.rig.rig import Node

_HIT_SECONDS = 60.0
# Python imports it at its start, where it is on the path: the node's own code knows nothing of it.
_CUSTOMIZE = """\
import signal
import time
signal.signal(signal.SIGUSR2, lambda *_: time.sleep({seconds}))
"""
_FAKETIME = ("*/faketime/libfaketime.so.1", "faketime/libfaketime.so.1")


async def block(scene: Scene, seconds: float) -> None:
    """Let the main thread of a node sleep: its loop stands still, its other threads go on."""
    node = scene.chance.choice(scene.rig.nodes)
    folder = scene.rig.folder / f"block-{seconds:.0f}"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_CUSTOMIZE.format(seconds=seconds))
    await node.process.kill()
    await scene.rig.restart(node, PYTHONPATH=str(folder))
    runs = await _runs_on(scene, node)
    scene.mark(f"loop of {node.name} blocked for {seconds:.0f} s", runs)
    node.process.send(signal.SIGUSR2)
    await asyncio.sleep(seconds)
    await scene.over(runs, _HIT_SECONDS)
    await node.process.kill()
    await scene.rig.restart(node)


async def skew(scene: Scene, hours: int) -> None:
    """Let a node work with a wrong clock, and others take its runs over."""
    library = _faketime()
    if library is None:
        scene.notes.append("skipped: libfaketime is not installed (apt-get install faketime)")
        return
    node = scene.chance.choice(scene.rig.nodes)
    await node.process.kill()
    clock = {"FAKETIME": f"{hours:+d}h", "DONT_FAKE_MONOTONIC": "1", "LD_PRELOAD": str(library)}
    await scene.rig.restart(node, **clock)
    scene.mark(f"clock of {node.name} {hours:+d} h", [])
    await asyncio.sleep(10)
    runs = await _runs_on(scene, node)
    await scene.killed(node, runs)
    await scene.over(runs, _HIT_SECONDS)


async def _runs_on(scene: Scene, node: Node) -> list[str]:
    while True:
        runs = [run for run, owner in (await scene.owners()).items() if owner is node]
        if runs:
            return runs
        await asyncio.sleep(0.1)


def _faketime() -> Path | None:
    found = [path for pattern in _FAKETIME for path in Path("/usr/lib").glob(pattern)]
    return found[0] if found else None


def blocking_faults() -> list[Fault]:
    """Return F14 and F20."""
    return [
        Fault("F14.10", "loop blocked for 10 s", partial(block, seconds=10.0), 3),
        Fault("F14.40", "loop blocked for 40 s", partial(block, seconds=40.0), 2),
        Fault("F20.late", "clock an hour late", partial(skew, hours=-1), 2),
        Fault("F20.early", "clock an hour early", partial(skew, hours=1), 2),
    ]
