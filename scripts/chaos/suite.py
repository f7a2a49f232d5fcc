"""Performs faults one after the other, each under a crowd of its own, and has them judged."""

import asyncio
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.settings import load_settings
from scripts.chaos.driver.crowd import Crowd
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene, wait_until
from scripts.chaos.history import HistoryWriter, Json, read_history
from scripts.chaos.pause_record import pause_record
from scripts.chaos.pauses import farewells_of, pauses_of, spread_of
from scripts.chaos.report import Row, told_effects
from scripts.chaos.rig.rig import ROOT, Rig

# The fault whose pauses the simulation is compared with.
_COMPARED = "F1"
_WARM_SECONDS = 40.0
_JUDGE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Suite:
    """How faults are performed. seed: the same chances again, as far as they are ours."""

    artifacts: Path
    seed: int

    async def perform(self, fault: Fault, count: int, rig: Rig) -> Row:
        """Perform one fault so many times, and judge what came of it."""
        history = self.artifacts / f"{fault.id}.jsonl"
        chance = random.Random(f"{self.seed} {fault.id}")
        with HistoryWriter(history) as writer:
            crowd = Crowd(rig.addresses(chance), writer, fault.habits, chance)
            scene = Scene(rig, crowd, writer, chance, fault.id)
            injections = await self._inject(fault, count, scene)
        scene.failures.extend(crowd.late)
        return await asyncio.to_thread(self._judge, fault, injections, scene, history)

    async def _inject(self, fault: Fault, count: int, scene: Scene) -> int:
        """Return how many times it was done: fewer where the time is over."""
        deadline = time.monotonic() + fault.limit_seconds
        done = 0
        crashes = {process.part.name: process.crashes for process in scene.rig.processes}
        await fault.before(scene)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(scene.crowd.talk())
                # Nodes that have just started are slow: a fault is not to be blamed for that.
                await wait_until(lambda: len(scene.crowd.circles) > 1, _WARM_SECONDS)
                while done < count and time.monotonic() < deadline:
                    await asyncio.sleep(0.5 + scene.chance.random() * fault.pause_seconds)
                    await fault.inject(scene)
                    done += 1
                scene.crowd.stop()
        finally:
            await fault.after(scene)
        await scene.rig.heal()
        for process in scene.rig.processes:
            if process.crashes > crashes[process.part.name]:
                scene.failures.append(f"{process.part.name} ended though nobody had asked it to")
        return done

    def _judge(self, fault: Fault, injections: int, scene: Scene, history: Path) -> Row:
        effects = history.with_suffix(".effects.jsonl")
        shutil.copy(scene.rig.effects, effects)
        verdict = judged(history, scene.rig.database, effects)
        scene.notes.extend(told_effects(verdict))
        if fault.habits.errands and not verdict["effects"]["tasks"]:
            scene.failures.append("nobody asked for anything that has effects")
        records = list(read_history(history))
        had, told = farewells_of(records)
        if had:
            scene.notes.append(f"{told} of {had} sockets of a leaving node were told so")
        if fault.id == _COMPARED:
            record = pause_record(records, len(scene.rig.nodes), load_settings())
            (self.artifacts / "pauses.json").write_text(json.dumps(record))
        spread = spread_of(pauses_of(records))
        return Row(
            fault.id,
            fault.title,
            injections,
            verdict,
            spread,
            fault.bar,
            scene.failures,
            scene.notes,
        )


def judged(history: Path, database: str, effects: Path) -> Json:
    """Return the verdict of the checker, a program of its own."""
    command = [sys.executable, "-m", "scripts.chaos.checker", str(history)]
    done = subprocess.run(
        [*command, "--database", database, "--effects", str(effects)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_JUDGE_SECONDS,
        check=False,
    )
    try:
        verdict: Json = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"the checker failed: {done.stderr[-500:]}") from None
    history.with_suffix(".verdict.json").write_text(done.stdout)
    return verdict


def chosen(faults: Sequence[Fault], only: Sequence[str]) -> list[Fault]:
    """Return the faults that are named; `F10` names F10.redis.reset too. Raises `ValueError`."""
    found = [
        fault
        for fault in faults
        if (not only and not fault.is_asked_for)
        or any(fault.id == each or fault.id.startswith(f"{each}.") for each in only)
    ]
    if not found:
        raise ValueError(f"there is no fault {', '.join(only)}")
    return found
