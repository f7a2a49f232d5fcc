"""What a fault acts on: the rig, the crowd that talks meanwhile, and the history."""

import asyncio
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from scripts.chaos.driver.crowd import Crowd
from scripts.chaos.history import HistoryWriter
from scripts.chaos.rig.rig import Node, Rig

_ACTIVE = "SELECT id, owner FROM runs WHERE is_active AND status = 'running'"
_ATTEMPTS = "SELECT id, attempt FROM runs WHERE id = ANY(%s)"
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Scene:
    """One fault's stage.

    notes: what the table's reader should know. failures: what makes the fault a failure, besides
        what the checker finds.
    """

    rig: Rig
    crowd: Crowd
    history: HistoryWriter
    chance: random.Random
    name: str
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def mark(self, what: str, runs: Sequence[str]) -> None:
        """Write down that the fault happens now."""
        self.history.fault(self.name, what, runs)

    async def owners(self) -> dict[str, Node]:
        """Return the runs that are at work, by id, and where."""
        connection = await psycopg.AsyncConnection.connect(self.rig.database, connect_timeout=5)
        async with connection:
            rows = await (await connection.execute(_ACTIVE)).fetchall()
        found = {str(run): self.rig.node_of(str(owner)) for run, owner in rows}
        return {run: node for run, node in found.items() if node is not None}

    async def attempts(self, runs: Sequence[str]) -> dict[str, int]:
        """Return at which attempt each of these runs is; more than before: it was taken over."""
        connection = await psycopg.AsyncConnection.connect(self.rig.database, connect_timeout=5)
        async with connection:
            rows = await (await connection.execute(_ATTEMPTS, (list(runs),))).fetchall()
        return {str(run): int(attempt) for run, attempt in rows}

    async def busiest(self) -> tuple[Node, list[str]]:
        """Return the node with the most runs at work, and those runs; waits until there is one."""
        while True:
            by_node: dict[str, list[str]] = {}
            owners = await self.owners()
            for run, node in owners.items():
                by_node.setdefault(node.name, []).append(run)
            if by_node:
                name = max(by_node, key=lambda each: len(by_node[each]))
                return next(n for n in self.rig.nodes if n.name == name), by_node[name]
            await asyncio.sleep(_POLL_SECONDS)

    def asked(self) -> list[str]:
        """Return the runs that somebody waits for now."""
        return list(self.crowd.asking)

    async def over(self, runs: Sequence[str], seconds: float) -> None:
        """Wait until nobody waits for these runs any more, or so long."""
        await wait_until(lambda: not self.crowd.asking.keys() & set(runs), seconds)

    async def killed(self, node: Node, runs: Sequence[str], down_seconds: float = 0.5) -> None:
        """Kill a node without a word, and start it again."""
        self.mark(f"SIGKILL {node.socket_url}", runs)
        await node.process.kill()
        await asyncio.sleep(down_seconds)
        await self.rig.restart(node)

    async def frozen(self, node: Node, runs: Sequence[str], seconds: float) -> None:
        """Stop a node's process for a while: it knows nothing of the time it slept."""
        self.mark(f"SIGSTOP {node.socket_url}", runs)
        node.process.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            node.process.send(signal.SIGCONT)


async def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; False where it is not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
