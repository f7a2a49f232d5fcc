"""F22: one node on SQLite, killed again and again."""

import asyncio
import sqlite3
from contextlib import closing

from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.scene import Scene

_HIT_SECONDS = 60.0


async def kill_only(scene: Scene) -> None:
    """Kill the only node, look whether its file is whole, and start it again."""
    [node] = scene.rig.nodes
    runs = scene.asked()
    scene.mark(f"SIGKILL {node.socket_url}", runs)
    await node.process.kill()
    found = await asyncio.to_thread(_integrity, scene.rig.database)
    if found != "ok":
        scene.failures.append(f"integrity_check: {found}")
    await scene.rig.restart(node)
    await scene.over(runs, _HIT_SECONDS)


async def look_into_log(scene: Scene) -> None:
    """See that nobody was refused because the database was locked."""
    locked = scene.rig.nodes[0].process.log.path.read_text().count("database is locked")
    if locked:
        scene.failures.append(f"the database was locked {locked} times")


def _integrity(path: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        [[answer]] = connection.execute("PRAGMA integrity_check").fetchall()
        return str(answer)


def single_faults() -> list[Fault]:
    """Return F22."""
    bar = Bar(p95=8.0)
    return [
        Fault("F22", "kill -9 on SQLite", kill_only, 10, subset=1, bar=bar, needs="single",
              after=look_into_log)
    ]  # fmt: skip
