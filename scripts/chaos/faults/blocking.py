"""F14, F20: a node whose loop stands still while its threads live, or whose clock is wrong."""

import asyncio
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.rig.rig import Node

_HIT_SECONDS = 60.0
_SKEWED_SECONDS = 10.0
# Python imports it at its start, where it is on the path: the node's own code knows nothing of it.
_CUSTOMIZE = """\
import signal
import time
signal.signal(signal.SIGUSR2, lambda *_: time.sleep({seconds}))
"""
_FAKETIME = ("*/faketime/libfaketime.so.1", "faketime/libfaketime.so.1")


async def block(scene: Scene, seconds: float, *, is_let: bool) -> None:
    """Let the main thread of a node sleep: its loop stands still, its other threads go on.

    is_let: whether that is short enough for the node to keep its runs.
    """
    node = scene.chance.choice(scene.rig.nodes)
    folder = scene.rig.folder / f"block-{seconds:.0f}"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_CUSTOMIZE.format(seconds=seconds))
    await node.process.kill()
    await scene.rig.restart(node, PYTHONPATH=str(folder))
    runs = await _runs_on(scene, node)
    before = await scene.attempts(runs)
    scene.mark(f"loop of {node.name} blocked for {seconds:.0f} s", runs)
    node.process.send(signal.SIGUSR2)
    await asyncio.sleep(seconds)
    await scene.over(runs, _HIT_SECONDS)
    taken = await _taken(scene, before)
    scene.notes.append(f"{len(taken)} of {len(runs)} runs of the blocked node were taken over")
    if taken and is_let:
        scene.failures.append(f"taken from a node that renewed its leases: {', '.join(taken)}")
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
    before = await scene.attempts(list(await scene.owners()))
    await asyncio.sleep(_SKEWED_SECONDS)
    early = await _taken(scene, before)
    if early:
        scene.failures.append(f"taken over though no node had died: {', '.join(early)}")
    runs = await _runs_on(scene, node)
    await scene.killed(node, runs)
    await scene.over(runs, _HIT_SECONDS)


async def _taken(scene: Scene, before: Mapping[str, int]) -> list[str]:
    """Return the runs that have begun another attempt since then."""
    now = await scene.attempts(list(before))
    return [run for run, attempt in now.items() if attempt > before[run]]


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
    bar = Bar(5.5, 8.0)
    short, long = (
        partial(block, seconds=10.0, is_let=True),
        partial(block, seconds=40.0, is_let=False),
    )
    return [
        Fault("F14.10", "loop blocked for 10 s", short, 3),
        Fault("F14.40", "loop blocked for 40 s", long, 2),
        Fault("F20.late", "clock an hour late", partial(skew, hours=-1), 2, bar=bar),
        Fault("F20.early", "clock an hour early", partial(skew, hours=1), 2, bar=bar),
    ]
