"""Carries short messages between nodes, over one connection of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from typing import Any

import structlog
from pydantic_core import from_json, to_json
from redis.asyncio import RedisCluster

from app.infra.redis.connection import Client
from app.infra.redis.deadline import deadline
from core.errors import StorageUnavailable

# Not sharded: every node hears it, so a cluster has to spread it anyway.
CHANNEL = "colloquy:control"
ASK_SECONDS = 2.5
RETRY_SECONDS = 0.5
PING_SECONDS = 1.0
PINGS_UNANSWERED = 3
BATCH = 200

Message = tuple[str, str]
log = structlog.get_logger(__name__)


class ControlChannel:
    """Tells all other nodes something, and hears them. What is said may be lost, or come twice.

    node: whose messages are never heard here. waiting_max: how many messages may wait while
    Redis is down; beyond it the oldest are dropped. Messages that say the same wait as one.
    dropped, reconnects: how many messages, and how often the connection was lost, so far.
    """

    def __init__(self, client: Client, node: str, waiting_max: int = 1000) -> None:
        self._client = client
        self._node = node
        self._waiting_max = waiting_max
        self._waiting: dict[Message, None] = {}
        self._has_waiting = asyncio.Event()
        self._hearers: dict[str, list[Callable[[str], None]]] = defaultdict(list)
        self.dropped = 0
        self.reconnects = 0

    def send(self, topic: str, content: str = "") -> None:
        """Tell all other nodes, soon; never blocks and never fails."""
        self._waiting[topic, content] = None
        self._trim()
        self._has_waiting.set()

    def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Call `hear`, which must not block, with what others say on a topic from now on."""
        self._hearers[topic].append(hear)

    async def run(self) -> None:
        """Carry messages until cancelled; what is waiting then is dropped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish())
            group.create_task(self._subscribe())

    def _trim(self) -> None:
        while len(self._waiting) > self._waiting_max:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1

    async def _publish(self) -> None:
        while True:
            await self._has_waiting.wait()
            said = tuple(islice(self._waiting, BATCH))
            # Taken out before they are sent: what is said again meanwhile is said again.
            for message in said:
                del self._waiting[message]
            if not self._waiting:
                self._has_waiting.clear()
            try:
                async with deadline(ASK_SECONDS):
                    await self._client.publish(CHANNEL, to_json((self._node, said)))
            except StorageUnavailable:
                self._waiting = dict.fromkeys((*said, *self._waiting))
                self._trim()
                self._has_waiting.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _subscribe(self) -> None:
        while True:
            try:
                await self._hear_until_lost()
            except StorageUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear_until_lost(self) -> None:
        async with deadline(ASK_SECONDS):
            subscriber = await _subscriber(self._client)
            await subscriber.subscribe(CHANNEL)
        try:
            await self._hear_all(subscriber)
        except StorageUnavailable:
            self.reconnects += 1
            log.warning("control.lost", reconnects=self.reconnects)
            raise
        finally:
            await subscriber.aclose()

    async def _hear_all(self, subscriber: Any) -> None:
        unanswered = 0
        while True:
            # A connection whose other end is gone says nothing at all: so it is asked.
            async with deadline(ASK_SECONDS):
                message = await subscriber.get_message(timeout=PING_SECONDS)
                if message is None and unanswered < PINGS_UNANSWERED:
                    await subscriber.ping()
            if message is None and unanswered == PINGS_UNANSWERED:
                raise StorageUnavailable("Redis doesn't answer.")
            unanswered = unanswered + 1 if message is None else 0
            if message is not None and message["type"] == "message":
                self._hear(message["data"])

    def _hear(self, data: bytes) -> None:
        try:
            node, said = from_json(data)
            if node == self._node:
                return
            for topic, content in said:
                for hear in self._hearers.get(topic, ()):
                    hear(content)
        except Exception:
            # The border between nodes: what one says wrong may not make another deaf.
            log.exception("control.misheard")


async def _subscriber(client: Client) -> Any:
    if not isinstance(client, RedisCluster):
        return client.pubsub()
    await client.initialize()
    # Every node of a cluster hears everything: another is tried where one is down.
    return client.pubsub(node=client.get_random_node())
