"""Keeps who is connected on all nodes, each node's list under a key of its own in Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from app.infra.redis.channels import ControlChannel
from app.infra.redis.connection import Client
from app.infra.redis.deadline import deadline
from app.infra.redis.expulsions import Expulsions
from core.errors import StorageUnavailable
from core.ids import PrincipalId, TenantId
from core.ports.fleet import Fleet
from core.ports.presence import Connection
from core.principal import Principal

ASK_SECONDS = 2.5
LEAVE_SECONDS = 1.0
BEAT_SECONDS = 1.0
# What came meanwhile is told in one go.
PAUSE_SECONDS = 0.1
ALIVE_MS = 5_000
BATCH = 500

VERSION = "#"
# Changes count only where the list is as it was left: version 0 begins it anew, and any other
# that is not the list's own means that Redis has lost something.
TELL = f"""
if ARGV[1] == '0' then
  redis.call('DEL', KEYS[1])
elseif redis.call('HGET', KEYS[1], '{VERSION}') ~= ARGV[1] then
  return 0
end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[1], '{VERSION}', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Present:
    """A socket of this node. joined_at: in the loop's time."""

    connection: Connection
    expel: Callable[[], None]
    joined_at: float


class RedisPresence:
    """See `Presence`; its `run` tells the other nodes.

    node: this node's name, as `fleet` and the connections have it. fleet: whose lists are read.
    channel: by which nodes hear at once that somebody was logged out everywhere.
    """

    def __init__(self, client: Client, node: str, fleet: Fleet, channel: ControlChannel) -> None:
        self._client = client
        self._node = node
        self._fleet = fleet
        self._present: dict[str, _Present] = {}
        self._untold: dict[str, str] = {}
        self._has_untold = asyncio.Event()
        self._version = 0
        self._is_told = False
        self._expulsions = Expulsions(client, node, channel, self._expel_here)

    def join(self, connection: Connection, expel: Callable[[], None]) -> None:
        """See `Presence`."""
        now = asyncio.get_running_loop().time()
        self._present[connection.id] = _Present(connection, expel, now)
        self._note(connection)

    def update(self, connection_id: str, subscriptions: int) -> None:
        """See `Presence`."""
        if present := self._present.get(connection_id):
            changed = replace(present.connection, subscriptions=subscriptions)
            self._present[connection_id] = replace(present, connection=changed)
            self._note(changed)

    def leave(self, connection_id: str) -> None:
        """See `Presence`."""
        if present := self._present.pop(connection_id, None):
            self._note(present.connection)

    async def connections(self, tenant_id: TenantId) -> Sequence[Connection]:
        """See `Presence`. Those of this node are always up to date, others within a second.

        Raises `StorageUnavailable` where Redis can't be asked.
        """
        mine = [present.connection for present in self._present.values()]
        found = [each for each in mine if each.principal.tenant_id == tenant_id]
        async with deadline(ASK_SECONDS):
            for node in await self._fleet.nodes():
                if node.name != self._node:
                    found += [each async for each in self._elsewhere(node.name, tenant_id)]
        return sorted(found, key=lambda each: each.since)

    async def expel(self, principal: Principal) -> None:
        """See `Presence`. Raises `StorageUnavailable` where only this node's could be closed."""
        self._expel_here(principal, asyncio.get_running_loop().time())
        await self._expulsions.add(principal)

    async def run(self) -> None:
        """Tell the other nodes, and hear whom they expel, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_told())
                group.create_task(self._expulsions.run())
        finally:
            await self._vanish()

    def _note(self, connection: Connection) -> None:
        self._untold[connection.id] = _field(connection.principal.tenant_id, connection.id)
        self._has_untold.set()

    def _expel_here(self, principal: Principal, until: float) -> None:
        for present in tuple(self._present.values()):
            if present.connection.principal == principal and present.joined_at <= until:
                present.expel()

    async def _keep_told(self) -> None:
        while True:
            try:
                await self._tell()
            except StorageUnavailable:
                # It may have been told, or not: the next time everything is.
                self._is_told = False
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(BEAT_SECONDS - PAUSE_SECONDS):
                    await self._has_untold.wait()
            except TimeoutError:
                pass

    async def _tell(self) -> None:
        """Tell what is untold, or, where there is nothing, that this node lives."""
        is_first = True
        while is_first or self._untold or not self._is_told:
            is_first = False
            if not self._is_told:
                for present in self._present.values():
                    self._note(present.connection)
            await self._tell_batch()

    async def _tell_batch(self) -> None:
        ids = tuple(self._untold)[:BATCH]
        changes: list[str | bytes] = []
        for connection_id in ids:
            present = self._present.get(connection_id)
            value = _encode(present.connection) if present else b""
            changes += (self._untold.pop(connection_id), value)
        if not self._untold:
            self._has_untold.clear()
        expected = self._version if self._is_told else 0
        self._version += bool(ids) or not self._is_told
        async with deadline(ASK_SECONDS):
            self._is_told = bool(
                await self._client.eval(
                    TELL, 1, _key(self._node), expected, self._version, ALIVE_MS, *changes
                )
            )

    async def _vanish(self) -> None:
        try:
            async with deadline(LEAVE_SECONDS):
                await self._client.delete(_key(self._node))
        except StorageUnavailable:
            log.info("presence.left_silently")

    async def _elsewhere(self, node: str, tenant_id: TenantId) -> AsyncIterator[Connection]:
        """Give the tenant's connections on another node; one may come twice."""
        pattern = _field(TenantId(_escape(tenant_id)), "*")
        fields: dict[bytes, bytes] = {}
        cursor = -1
        while cursor != 0:
            answer: Any = await self._client.hscan(
                _key(node), max(cursor, 0), match=pattern, count=BATCH
            )
            cursor, page = answer
            fields.update(page)
        for name, value in fields.items():
            yield _decode(name, value, node)


def _key(node: str) -> str:
    return f"colloquy:present:{{{node}}}"


def _field(tenant_id: TenantId, connection_id: str) -> str:
    return f"{tenant_id}\x1f{connection_id}"


def _encode(connection: Connection) -> bytes:
    since = connection.since.isoformat()
    return to_json((connection.principal.id, since, connection.subscriptions))


def _decode(name: bytes, value: bytes, node: str) -> Connection:
    tenant_id, _, connection_id = name.decode().rpartition("\x1f")
    principal_id, since, subscriptions = from_json(value)
    return Connection(
        id=connection_id,
        principal=Principal(PrincipalId(principal_id), TenantId(tenant_id)),
        node=node,
        since=datetime.fromisoformat(since),
        subscriptions=subscriptions,
    )


def _escape(text: str) -> str:
    return "".join(f"\\{each}" if each in r"\*?[]^-" else each for each in text)
