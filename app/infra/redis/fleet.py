"""Keeps the list of nodes in Redis."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from app.infra.redis.connection import Client
from app.infra.redis.deadline import deadline
from core.errors import StorageUnavailable
from core.ports.fleet import Node, NodeLoad

# One slot of a cluster: when each was last seen, in milliseconds, and what it said.
SEEN = "colloquy:{fleet}:seen"
SAID = "colloquy:{fleet}:said"
BEAT_SECONDS = 1.0
ASK_SECONDS = 2.5
LEAVE_SECONDS = 1.0
# After so long a node is not listed any more, and after the second it is forgotten.
ALIVE_MS = 5_000
FORGET_MS = 60_000

# The time is Redis' in both: the clocks of the nodes may differ.
BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
"""
LIST = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
local seen = redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf', 'WITHSCORES')
for i = 1, #seen, 2 do
  found[#found + 1] = {seen[i], now - seen[i + 1], redis.call('HGET', KEYS[2], seen[i])}
end
return found
"""
LEAVE = "redis.call('ZREM', KEYS[1], ARGV[1]) redis.call('HDEL', KEYS[2], ARGV[1])"

log = structlog.get_logger(__name__)


class RedisFleet:
    """See `Fleet`. name: this node's, unlike any other's."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._facts = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started_at": datetime.now(UTC).isoformat(),
        }

    async def keep(self, load: Callable[[], NodeLoad]) -> None:
        """See `Fleet`. A node that is cancelled takes itself off the list, if it can at once."""
        is_heard = True
        try:
            while True:
                was_heard, is_heard = is_heard, await self._beat(load())
                if was_heard != is_heard:
                    log.warning("fleet.back" if is_heard else "fleet.lost")
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            await self._leave()

    async def nodes(self) -> Sequence[Node]:
        """See `Fleet`."""
        found = await self._ask(ASK_SECONDS, LIST, ALIVE_MS)
        return sorted((_node(*each) for each in found), key=lambda node: node.name)

    async def _beat(self, load: NodeLoad) -> bool:
        said = to_json({**self._facts, "load": asdict(load)})
        try:
            await self._ask(ASK_SECONDS, BEAT, self._name, said, FORGET_MS)
        except StorageUnavailable:
            return False
        return True

    async def _leave(self) -> None:
        try:
            await self._ask(LEAVE_SECONDS, LEAVE, self._name)
        except StorageUnavailable:
            log.info("fleet.left_silently")

    async def _ask(self, seconds: float, script: str, *arguments: str | bytes | int) -> Any:
        async with deadline(seconds):
            return await self._client.eval(script, 2, SEEN, SAID, *arguments)


def _node(name: bytes, seen_ms: int, said: bytes) -> Node:
    facts = from_json(said)
    return Node(
        name=name.decode(),
        host=facts["host"],
        pid=facts["pid"],
        started_at=datetime.fromisoformat(facts["started_at"]),
        seen_seconds=max(0, seen_ms) / 1000,
        load=NodeLoad(**facts["load"]),
    )
