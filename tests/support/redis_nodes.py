"""Nodes without anything but what they share through Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.infra.redis.channels import ControlChannel
from app.infra.redis.connection import Client, connect
from app.infra.redis.fleet import RedisFleet
from app.infra.redis.presence import RedisPresence
from app.infra.redis.signals import RedisSignals
from core.ports.fleet import NodeLoad


@dataclass
class RedisNode:
    """One node."""

    name: str
    client: Client
    channel: ControlChannel
    fleet: RedisFleet
    presence: RedisPresence
    signals: RedisSignals
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def die(self) -> None:
        """Do nothing more, and say no good-bye, as a process that was killed."""
        self.fleet._leave = self.presence._vanish = nothing  # type: ignore[method-assign]
        for task in self.tasks:
            task.cancel()


@asynccontextmanager
async def redis_node(
    url: str, name: str, *, is_cluster: bool = False, is_deaf: bool = False
) -> AsyncIterator[RedisNode]:
    """Give a node at work; leaving it stops it in an orderly way.

    is_deaf: whether it hears nothing that others publish.
    """
    client = connect(url, is_cluster=is_cluster)
    channel = ControlChannel(client, name)
    fleet = RedisFleet(client, name)
    presence = RedisPresence(client, name, fleet, channel)
    node = RedisNode(name, client, channel, fleet, presence, RedisSignals(channel))
    load = NodeLoad(connections=0, runs=0, slots=8)
    try:
        async with asyncio.TaskGroup() as group:
            work = [fleet.keep(lambda: load), presence.run()]
            if not is_deaf:
                work.append(channel.run())
            node.tasks += [group.create_task(one) for one in work]
            try:
                yield node
            finally:
                for task in node.tasks:
                    task.cancel()
    finally:
        await client.aclose()


async def nothing() -> None:
    """Do nothing."""


async def until(is_so: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    """Return once a condition holds; fail where it does not in time."""
    async with asyncio.timeout(seconds):
        while True:
            answer = is_so()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
