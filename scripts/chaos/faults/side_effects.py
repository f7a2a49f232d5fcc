"""F16: nodes that die between what a tool has done and its record, or at any moment around it."""

import asyncio
from contextlib import suppress

from scripts.chaos.driver.crowd import Habits
from scripts.chaos.driver.errands import ErrandKind
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene, wait_until
from scripts.chaos.rig.process import RigError
from scripts.chaos.rig.rig import Node

_HIT_SECONDS = 30.0
_PASS_SECONDS = 60.0
_DOWN_SECONDS = 0.3
# About as long as a step with a call takes.
_AROUND_SECONDS = 0.5
# The first calls of a node that has just started are those of the runs it takes over: it shall
# not die of the same ones again and again, until they are given up.
_FIRST_PASS, _LAST_PASS = 3, 8


async def arm(scene: Scene) -> None:
    """Let all nodes but one die at some call, just after the effect."""
    async with asyncio.TaskGroup() as group:
        for node in _mortals(scene):
            await node.process.kill()
            group.create_task(_restart_armed(scene, node))


async def kill_after_effect(scene: Scene) -> None:
    """Wait until one of them has died of it, and start it again: to die once more."""
    if not await wait_until(lambda: bool(_dead(scene)), _PASS_SECONDS):
        scene.failures.append("after_effect was never passed")
        return
    node = _dead(scene)[0]
    runs = [run for run, owner in (await scene.owners()).items() if owner is node]
    scene.mark(f"{node.name} died after an effect", runs)
    await asyncio.sleep(_DOWN_SECONDS)
    await _restart_armed(scene, node)
    await scene.over(runs, _HIT_SECONDS)


async def disarm(scene: Scene) -> None:
    """Give back nodes that live."""
    async with asyncio.TaskGroup() as group:
        for node in _mortals(scene):
            await node.process.kill()
            group.create_task(scene.rig.restart(node))


async def kill_around_effect(scene: Scene) -> None:
    """Kill the busiest node at a random moment of what it does."""
    await asyncio.sleep(scene.chance.uniform(0, _AROUND_SECONDS))
    node, runs = await scene.busiest()
    await scene.killed(node, runs, _DOWN_SECONDS)
    await scene.over(runs, _HIT_SECONDS)


def _mortals(scene: Scene) -> list[Node]:
    return scene.rig.nodes[1:]


def _dead(scene: Scene) -> list[Node]:
    return [node for node in _mortals(scene) if not node.process.is_up]


async def _restart_armed(scene: Scene, node: Node) -> None:
    number = scene.chance.randint(_FIRST_PASS, _LAST_PASS)
    # It may have died before it was ready.
    with suppress(RigError):
        await scene.rig.restart(node, COLLOQUY_FAILPOINT=f"after_effect:{number}")


def effect_faults() -> list[Fault]:
    """Return F16: calls that may be repeated, calls that may not, and both at any moment."""
    return [
        _at_line("F16.once", "killed after an idempotent write", 1, ("once",)),
        _at_line("F16.each", "killed after a plain write", 2, ("each", "asked")),
        Fault(
            "F16.any", "killed around any write", kill_around_effect, 50,
            limit_seconds=900, habits=_habits(("once", "each", "asked")),
        ),
    ]  # fmt: skip


def _at_line(id_: str, title: str, subset: int, kinds: tuple[ErrandKind, ...]) -> Fault:
    return Fault(
        id_, title, kill_after_effect, 50, subset, limit_seconds=900, pause_seconds=0.5,
        before=arm, after=disarm, habits=_habits(kinds),
    )  # fmt: skip


def _habits(kinds: tuple[ErrandKind, ...]) -> Habits:
    return Habits(tokens=20, cancels=0.0, hurries=0.0, errands=kinds)
