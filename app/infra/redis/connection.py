"""How a client of Redis is made, and what is asked of the server behind it."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.errors import SettingsError, StorageUnavailable

Client = Redis | RedisCluster

CONNECTIONS = 20
CONNECT_SECONDS = 1.0
REPLY_SECONDS = 2.5
POOL_SECONDS = 2.0
HEALTH_CHECK_SECONDS = 15
OLDEST_VERSION = (6, 2)
SHARDED_CHANNELS_SINCE = (7, 0)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server says about itself.

    run_id: changes with every start of the server; of a cluster, of its first node.
    has_aof: whether it writes an append-only file (of a cluster: every node does).
    eviction: its `maxmemory-policy`.
    has_sharded_channels: whether it knows `SPUBLISH`.
    warnings: whole sentences that say what is at risk.
    """

    version: str
    run_id: str
    has_aof: bool
    eviction: str
    has_sharded_channels: bool
    warnings: tuple[str, ...]


def connect(url: str, *, is_cluster: bool = False) -> Client:
    """Return a client that gives up soon and never repeats a command on its own.

    Nothing is sent yet; whoever asked closes it with `aclose`. Raises `SettingsError` where the
    URL can't be read.
    """
    options: dict[str, Any] = {
        "socket_timeout": REPLY_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "health_check_interval": HEALTH_CHECK_SECONDS,
        # A command whose reply was lost may have been carried out: only its sender knows whether
        # it may be sent again.
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        if is_cluster:
            return RedisCluster.from_url(url, max_connections=CONNECTIONS, **options)
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=POOL_SECONDS, **options
        )
    except (ValueError, RedisError):
        # The URL may carry a password: it is not repeated.
        raise SettingsError(
            "REDIS_URL is not a Redis address; it looks like redis://[user:password@]host:port/db, "
            "rediss://… or unix:///path, and a cluster knows no db and no path."
        ) from None
    return Redis.from_pool(pool)


async def check_server(client: Client) -> ServerFacts:
    """Return what the server is.

    Raises `SettingsError` where it is too old to be used, `StorageUnavailable` where it can't be
    asked.
    """
    try:
        answers = await _ask(client)
    except (RedisError, OSError) as error:
        raise StorageUnavailable("Redis can't be reached.") from error
    for answer in answers:
        _refuse_old(answer["redis_version"])
    return _facts(answers)


async def _ask(client: Client) -> list[dict[str, Any]]:
    if not isinstance(client, RedisCluster):
        return [await client.info()]
    await client.initialize()
    return [
        await client.execute_command("INFO", target_nodes=node) for node in client.get_primaries()
    ]


def _refuse_old(version: str) -> None:
    if _parsed(version) < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise SettingsError(f"REDIS_URL names a Redis {version}; Colloquy needs {oldest} or newer.")


def _facts(answers: list[dict[str, Any]]) -> ServerFacts:
    first = answers[0]
    has_aof = all(int(answer.get("aof_enabled", 0)) for answer in answers)
    # A policy has no effect while there is no limit, but the limit may be set at any time.
    policies = [str(answer.get("maxmemory_policy", "noeviction")) for answer in answers]
    eviction = next((policy for policy in policies if policy != "noeviction"), "noeviction")
    return ServerFacts(
        version=str(first["redis_version"]),
        run_id=str(first["run_id"]),
        has_aof=has_aof,
        eviction=eviction,
        has_sharded_channels=all(
            _parsed(answer["redis_version"]) >= SHARDED_CHANNELS_SINCE for answer in answers
        ),
        warnings=_warnings(has_aof=has_aof, eviction=eviction),
    )


def _warnings(*, has_aof: bool, eviction: str) -> tuple[str, ...]:
    warnings = []
    if not has_aof:
        warnings.append(
            "Redis keeps no append-only file (appendonly no): when it restarts, what running "
            "answers have said is sent again by the nodes that write them, and a node that is "
            "lost at the same time leaves its readers a snapshot instead of what they missed."
        )
    if eviction != "noeviction":
        warnings.append(
            f"Redis may throw keys away when its memory is full (maxmemory-policy {eviction}): "
            "readers would then be given snapshots instead of what they missed, and the list of "
            "who is connected may have holes; set maxmemory-policy noeviction."
        )
    return tuple(warnings)


def _parsed(version: object) -> tuple[int, ...]:
    numbers = str(version).split(".")
    return tuple(int(part) for part in numbers if part.isdecimal())
