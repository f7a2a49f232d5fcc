"""Nodes that share nothing but their breakers, and something outside that fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from app.infra.redis.channels import ControlChannel
from app.infra.redis.circuits import RedisCircuits
from app.infra.redis.connection import connect
from app.infra.resilience.breakers import PyBreakers
from core.ports.breakers import Breakers, CircuitOpen, CircuitReport, CircuitState
from tests.support.redis_nodes import until

NAME = "tool:outside"
FAILURES = 3
OPEN_SECONDS = 0.5


class OutsideFault(Exception):
    """What the outside fails with."""


class Outside:
    """Something outside: it is down or up, and its calls may be held.

    reached: how many calls came this far. open_gate: lets those go on that are held.
    """

    def __init__(self, *, is_up: bool = False) -> None:
        self.is_up = is_up
        self.reached = 0
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def work(self) -> str:
        """Be called."""
        self.reached += 1
        await self.open_gate.wait()
        if not self.is_up:
            raise OutsideFault
        return "fine"


async def fail(breakers: Breakers, times: int = FAILURES, name: str = NAME) -> None:
    """Make calls that fail, one after the other."""
    outside = Outside()
    for _ in range(times):
        with suppress(OutsideFault):
            await breakers.call(name, outside.work, seconds=10)


async def outcome(breakers: Breakers, outside: Outside, seconds: float = 10) -> str:
    """Return what one call comes to: `fine`, `failed`, `late` or `refused`."""
    try:
        return await breakers.call(NAME, outside.work, seconds=seconds)
    except OutsideFault:
        return "failed"
    except TimeoutError:
        return "late"
    except CircuitOpen:
        return "refused"


def report(breakers: Breakers, name: str = NAME) -> CircuitReport | None:
    """Return where a breaker stands; None where it is not known."""
    return next((each for each in breakers.reports() if each.name == name), None)


def state(breakers: Breakers, name: str = NAME) -> CircuitState | None:
    """Return the state of a breaker; None where it is not known."""
    found = report(breakers, name)
    return found.state if found else None


async def all_are(wanted: CircuitState, *nodes: Breakers, name: str = NAME) -> None:
    """Return once a breaker is in a state on all nodes."""
    await until(lambda: all(state(node, name) is wanted for node in nodes))


@asynccontextmanager
async def breaker_node(
    url: str,
    name: str,
    *,
    is_cluster: bool = False,
    is_deaf: bool = False,
    open_seconds: float = OPEN_SECONDS,
) -> AsyncIterator[PyBreakers]:
    """Give the breakers of one node of a fleet.

    is_deaf: whether it hears nothing that others say, and only compares.
    """
    client = connect(url, is_cluster=is_cluster)
    channel = ControlChannel(client, name)
    circuits = RedisCircuits(client, channel, failures=FAILURES, open_seconds=open_seconds)
    breakers = PyBreakers(circuits, failures=FAILURES, open_seconds=open_seconds)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(circuits.run())]
            if not is_deaf:
                tasks.append(group.create_task(channel.run()))
            try:
                yield breakers
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        await client.aclose()


@asynccontextmanager
async def breaker_nodes(
    url: str, count: int = 3, *, is_cluster: bool = False, open_seconds: float = OPEN_SECONDS
) -> AsyncIterator[Sequence[PyBreakers]]:
    """Give the breakers of some nodes, once they hear each other."""
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                breaker_node(
                    url, f"node-{number}", is_cluster=is_cluster, open_seconds=open_seconds
                )
            )
            for number in range(count)
        ]
        for number, node in enumerate(nodes):
            await fail(node, 1, name=f"tool:hello-{number}")
        for number in range(count):
            await all_are(CircuitState.CLOSED, *nodes, name=f"tool:hello-{number}")
        yield nodes
