"""Finds ports that a process can have again after a restart."""

import random
import socket
from pathlib import Path

from scripts.cluster.part import ClusterError

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_FIRST_EPHEMERAL = 32768
_FIRST = 10_000
_TRIES = 1000
LOOPBACK = "127.0.0.1"


class Ports:
    """Gives each free port once.

    None is one that the kernel gives to outgoing connections: it would be lost to one of them
    while the process that has it is started again.
    """

    def __init__(self) -> None:
        self._given: set[int] = set()

    def take(self) -> int:
        """Return a port of 127.0.0.1 that nobody listens on. Raises `ClusterError`."""
        for _ in range(_TRIES):
            port = random.randrange(_FIRST, max(_FIRST + _TRIES, _first_ephemeral()))
            if port not in self._given and why_not(LOOPBACK, port) is None:
                self._given.add(port)
                return port
        raise ClusterError("There is no free port on 127.0.0.1.")


def why_not(host: str, port: int) -> str | None:
    """Return why nobody can listen there now, or None where one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_FIRST_EPHEMERAL
