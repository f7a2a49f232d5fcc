"""Tells every node who was logged out everywhere, also one that could not hear it at the time."""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json, to_json

from app.infra.redis.channels import ControlChannel
from app.infra.redis.connection import Client
from app.infra.redis.deadline import deadline
from core.errors import StorageUnavailable
from core.ids import PrincipalId, TenantId
from core.principal import Principal

EXPELLED = "colloquy:expelled"
TOPIC = "expelled"
ASK_SECONDS = 2.5
LOOK_SECONDS = 1.0
KEPT = 10_000
KEPT_MS = 24 * 3600 * 1000
BATCH = 1000
# Both times are cut to whole milliseconds; in doubt a socket had joined before.
ROUNDING_MS = 1

ADD = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'said', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
READ = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return {now, redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])}
"""


class Expulsions:
    """The record of who was expelled and when, by Redis' clock.

    expel: closes the sockets that a principal has here, of those that had joined by a moment of
    the loop's time: who comes back after it was expelled is let in.
    """

    def __init__(
        self,
        client: Client,
        node: str,
        channel: ControlChannel,
        expel: Callable[[Principal, float], None],
    ) -> None:
        self._client = client
        self._node = node
        self._channel = channel
        self._expel = expel
        self._last = "-"
        self._is_told = asyncio.Event()
        channel.listen(TOPIC, lambda _: self._is_told.set())

    async def add(self, principal: Principal) -> None:
        """Let the other nodes expel somebody. Raises `StorageUnavailable`."""
        said = to_json((self._node, principal.tenant_id, principal.id))
        async with deadline(ASK_SECONDS):
            await self._client.eval(ADD, 1, EXPELLED, KEPT, KEPT_MS, said)
        self._channel.send(TOPIC)

    async def run(self) -> None:
        """Expel whom others do, until cancelled: when told so, and once a second in any case."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._is_told.wait()
            except TimeoutError:
                pass
            self._is_told.clear()
            try:
                await self._look()
            except StorageUnavailable:
                # The record is read from where it was left, whenever that is.
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        async with deadline(ASK_SECONDS):
            now_ms, found = await self._client.eval(READ, 1, EXPELLED, self._last, BATCH)
        here = asyncio.get_running_loop().time()
        for entry_id, fields in found:
            age_ms = now_ms - int(entry_id.partition(b"-")[0])
            self._obey(fields, here - (age_ms - ROUNDING_MS) / 1000)
            self._last = f"({entry_id.decode()}"
        if len(found) == BATCH:
            self._is_told.set()

    def _obey(self, fields: list[Any], moment: float) -> None:
        node, tenant_id, principal_id = from_json(fields[1])
        if node != self._node:
            self._expel(Principal(PrincipalId(principal_id), TenantId(tenant_id)), moment)
