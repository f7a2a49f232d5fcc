"""Faults of Redis and Postgres: killed, emptied, restarted, away."""

import asyncio
import signal
from functools import partial

from redis.asyncio import Redis

from scripts.bench.process import resident_bytes
from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.rig.process import RigProcess

_HIT_SECONDS = 30.0
_MIB = 1024 * 1024


async def _down(process: RigProcess, seconds: float) -> None:
    await process.kill()
    await asyncio.sleep(seconds)
    await process.start()
    await process.ready()


async def kill_redis(scene: Scene) -> None:
    """Kill Redis and start it again 0.2 to 1 s later, with what it has on disk."""
    runs = scene.asked()
    seconds = scene.chance.uniform(0.2, 1.0)
    scene.mark(f"Redis killed for {seconds:.2f} s", runs)
    await _down(scene.rig.redis, seconds)
    await scene.over(runs, _HIT_SECONDS)


async def flush_redis(scene: Scene) -> None:
    """Empty Redis under everybody's hands."""
    runs = scene.asked()
    scene.mark("FLUSHALL", runs)
    client = Redis.from_url(scene.rig.redis_url)
    await client.flushall()
    await client.aclose()
    await scene.over(runs, _HIT_SECONDS)


async def kill_both(scene: Scene) -> None:
    """Kill the busiest node and Redis at once."""
    node, runs = await scene.busiest()
    scene.mark("node and Redis killed", runs)
    await node.process.kill()
    await _down(scene.rig.redis, scene.chance.uniform(0.2, 1.0))
    await scene.rig.restart(node)
    await scene.over(runs, _HIT_SECONDS)


async def redis_away(scene: Scene, seconds: float) -> None:
    """Leave Redis down for a long time: answers are finished without it."""
    runs = scene.asked()
    before = [resident_bytes(node.process.pid) for node in scene.rig.nodes]
    scene.mark(f"Redis down for {seconds:.0f} s", runs)
    await _down(scene.rig.redis, seconds)
    grown = [
        (resident_bytes(node.process.pid) - was) / _MIB
        for node, was in zip(scene.rig.nodes, before, strict=True)
    ]
    scene.notes.append(f"nodes grew by at most {max(grown):.0f} MiB (bar 50)")
    await scene.over(runs, _HIT_SECONDS)


async def restart_postgres(scene: Scene) -> None:
    """Restart Postgres at once, as after a crash: SIGQUIT is `pg_ctl -m immediate`."""
    runs = scene.asked()
    scene.mark("Postgres restarted", runs)
    scene.rig.postgres.send(signal.SIGQUIT)
    if await scene.rig.postgres.ended(10) is None:
        await scene.rig.postgres.kill()
    await scene.rig.postgres.start()
    await scene.rig.postgres.ready()
    await scene.over(runs, _HIT_SECONDS)


async def _without_persistence(scene: Scene) -> None:
    await scene.rig.restart_redis(persists=False)


async def _with_persistence(scene: Scene) -> None:
    await scene.rig.restart_redis(persists=True)


def store_faults() -> list[Fault]:
    """Return F5 to F9."""
    away = partial(redis_away, seconds=60.0)
    # Who comes in meanwhile may have to wait for Redis.
    patient = Habits(ask_seconds=180.0, settle_seconds=120.0)
    return [
        Fault("F5", "kill -9 of Redis, AOF", kill_redis, 20, subset=3, bar=Bar(2.5)),
        Fault(
            "F6",
            "kill -9 of Redis, all lost",
            kill_redis,
            20,
            subset=2,
            bar=Bar(3.0),
            before=_without_persistence,
            after=_with_persistence,
        ),
        Fault("F6b", "FLUSHALL", flush_redis, 20, subset=2, bar=Bar(2.0)),
        Fault("F7", "node and Redis at once", kill_both, 20, bar=Bar(6.0)),
        Fault("F8", "Redis down 60 s", away, 1, bar=Bar(63.0), habits=patient),
        Fault("F9", "Postgres restarted at once", restart_postgres, 10, subset=1, bar=Bar(10.0)),
    ]
