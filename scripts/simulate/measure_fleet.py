"""Measures what many nodes cost their stores: `python -m scripts.simulate.measure_fleet`.

Two nodes, their balancer, Postgres and Redis, as `make cluster` starts them, all on this machine
with the load: processor time is told apart by process, waiting is not measured. Linux only. What
it prints are the fields of `Costs` that name this command as their source.
"""

import asyncio
import tempfile
from typing import Final
from uuid import uuid4

import uvloop

from scripts.bench.contenders import Contender, scripted_model
from scripts.bench.documents import QUESTION, upload
from scripts.simulate.caller import Caller, has_ended
from scripts.simulate.measure import many
from scripts.simulate.measured_cluster import Cluster, Spent, cluster

NODES: Final = 2
AT_ONCE: Final = 8
TURNS: Final = 240
STREAMS: Final = 200
SECONDS: Final = 10.0
# Postgres counts commits about once a second.
SETTLE_SECONDS: Final = 2.5


async def turns(running: Cluster, count: int, tokens: int) -> None:
    """Let so many turns happen, a few at a time, each conversation with its own socket."""
    callers = [Caller(running.socket_url, str(uuid4())) for _ in range(AT_ONCE)]
    left = iter(range(count))

    async def talk(caller: Caller) -> None:
        await caller.open()
        is_first = True
        for _ in left:
            await caller.ask(f"{QUESTION} [[tokens={tokens} rate=300]]")
            if is_first:
                await caller.subscribe()
                is_first = False
            await caller.until(has_ended)
        caller.close()

    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(talk(caller))


async def streams(running: Cluster) -> list[Caller]:
    """Begin as many answers as are to be said at the same time."""
    callers = [Caller(running.socket_url, str(uuid4())) for _ in range(STREAMS)]

    async def begin(number: int) -> None:
        await callers[number].open()
        await callers[number].ask("[[tokens=900 rate=30]]")
        await callers[number].subscribe()

    await many(STREAMS, begin)
    return callers


async def measure(running: Cluster) -> None:
    """Print every cost when it is known."""
    await turns(running, 2 * AT_ONCE, 20)
    await asyncio.sleep(SETTLE_SECONDS)
    idle = await _in_window(running)
    _print("nothing to do, each node and second", idle.over(NODES))
    before = running.spent()
    await turns(running, TURNS, 1)
    await asyncio.sleep(SETTLE_SECONDS)
    _print("a turn of one token", (running.spent() - before).over(TURNS))
    before = running.spent()
    await turns(running, TURNS // 4, 300)
    await asyncio.sleep(SETTLE_SECONDS)
    _print("a turn of 300 tokens", (running.spent() - before).over(TURNS // 4))
    callers = await streams(running)
    busy = await _in_window(running)
    _print("an answer at work, each second", (busy - idle).over(STREAMS))
    _print("a token", (busy - idle).over(30 * STREAMS))
    for caller in callers:
        caller.close()


async def _in_window(running: Cluster) -> Spent:
    """Return what is spent in a second of the next ten."""
    await asyncio.sleep(1)
    before = running.spent()
    await asyncio.sleep(SECONDS)
    return (running.spent() - before).over(SECONDS)


def _print(what: str, spent: Spent) -> None:
    print(
        f"{what}: {1e6 * spent.nodes:,.0f} µs of the nodes, {1e6 * spent.redis:,.1f} µs of Redis, "
        f"{1e6 * spent.postgres:,.0f} µs of Postgres, {spent.commits:.2f} commits, "
        f"{spent.wal_bytes:,.0f} B of its log, {spent.row_bytes:,.0f} B of rows, "
        f"{spent.checkpoint_bytes:,.0f} B of checkpoints",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    with scripted_model() as model, cluster(model.url, NODES) as running:
        with tempfile.TemporaryFile() as log:
            upload(
                Contender(
                    "cluster", "colloquy", running.url, running.record["nodes"][0]["pid"], log
                )
            )
        uvloop.run(measure(running))


if __name__ == "__main__":
    main()
