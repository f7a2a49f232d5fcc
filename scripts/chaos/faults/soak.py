"""F21: everything for a long time, one fault a minute."""

import asyncio
from pathlib import Path

import numpy as np

from scripts.bench.process import resident_bytes
from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Fault, Inject
from scripts.chaos.faults.nodes import freeze, kill_any, roll
from scripts.chaos.faults.scene import Scene
from scripts.chaos.faults.stores import flush_redis, kill_redis, restart_postgres

_MINUTES = 120
_MINUTES_OF_A_SLOPE = 10
_MIB = 1024 * 1024


class Soak:
    """One fault by chance each minute; says at last whether anything grew."""

    def __init__(self) -> None:
        self._sizes: list[tuple[int, int]] = []

    async def inject(self, scene: Scene) -> None:
        """Do one of them, and let the rest of the minute pass."""
        faults: list[Inject] = [
            kill_any, roll, kill_redis, flush_redis, restart_postgres, _freeze,
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            await scene.chance.choice(faults)(scene)
        pids = [node.process.pid for node in scene.rig.nodes]
        self._sizes.append((max(map(resident_bytes, pids)), max(map(_descriptors, pids))))

    async def tell(self, scene: Scene) -> None:
        """Say how memory and descriptors went, where there is enough to say it from."""
        if len(self._sizes) < _MINUTES_OF_A_SLOPE:
            return
        minutes = np.arange(len(self._sizes))
        for name, values, unit in (
            ("memory", [size / _MIB for size, _ in self._sizes], "MiB"),
            ("descriptors", [count for _, count in self._sizes], ""),
        ):
            slope = 60 * np.polyfit(minutes, values, 1)[0]
            scene.notes.append(f"{name} of the largest node: {slope:+.1f} {unit} an hour")


async def _freeze(scene: Scene) -> None:
    await freeze(scene, seconds=7.0)


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def soak_faults() -> list[Fault]:
    """Return F21, which is performed where it is asked for."""
    soak = Soak()
    return [
        Fault(
            "F21",
            "soak",
            soak.inject,
            _MINUTES,
            limit_seconds=60.0 * _MINUTES,
            after=soak.tell,
            habits=Habits(conversations=30, rate=10),
            is_asked_for=True,
        )
    ]
