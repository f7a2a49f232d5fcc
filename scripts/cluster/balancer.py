"""Chooses what stands before the nodes, and gives it the addresses."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.settings import MIB, Settings
from scripts.cluster.part import ClusterError, Part, Places
from scripts.cluster.ports import LOOPBACK
from scripts.cluster.probe import accepts

_DEPLOY = Path(__file__).parents[2] / "deploy"
# What a form adds to a file.
_FORM_BYTES = MIB
_MISSED_BEATS = 3
_BALANCERS = ("nginx", "haproxy", "relay")


@dataclass(frozen=True, slots=True)
class Front:
    """Where the balancer listens, and what it hands on to.

    nodes: their ports.
    silence_seconds: how long a socket may be without a sign of life.
    """

    host: str
    port: int
    nodes: Sequence[int]
    upload_bytes: int
    silence_seconds: int

    @classmethod
    def from_settings(cls, settings: Settings, port: int, nodes: Sequence[int]) -> "Front":
        """Return what the settings ask for."""
        return cls(
            host=settings.host,
            port=port,
            nodes=nodes,
            upload_bytes=settings.upload_max_bytes + _FORM_BYTES,
            silence_seconds=max(6, round(_MISSED_BEATS * settings.beat_seconds)),
        )

    @property
    def address(self) -> str:
        """Return HOST:PORT as programs write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def balancer(front: Front, places: Places, wanted: str) -> Part:
    """Return the balancer: the wanted one, else nginx, HAProxy, or the built-in relay.

    Raises `ClusterError` where the wanted one is not here.
    """
    name = wanted or next(each for each in _BALANCERS if each == "relay" or _program(each))
    if name == "relay":
        command: tuple[str, ...] = _relay_command(front)
    elif program := _program(name):
        command = _COMMANDS[name](program, front, places)
    else:
        raise ClusterError(
            f"{name} is not installed: apt-get install {name}, or leave BALANCER empty."
            if name in _BALANCERS
            else f"BALANCER: must be one of {', '.join(_BALANCERS)}, not {name}."
        )

    async def is_ready() -> bool:
        # It is asked nothing yet: the nodes come after it.
        return await accepts(front.host, front.port)

    # SIGTERM ends it at once: the nodes are gone before it, so nothing is left to wait for.
    return Part(name, command, is_ready, stop_seconds=5.0)


def _program(name: str) -> str | None:
    # Distributions put it where only root looks.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _relay_command(front: Front) -> tuple[str, ...]:
    nodes = [f"{LOOPBACK}:{port}" for port in front.nodes]
    return (sys.executable, "-m", "scripts.cluster.relay", front.address, *nodes)


def _nginx_command(program: str, front: Front, places: Places) -> tuple[str, ...]:
    own = places.cluster / "nginx"
    own.mkdir(exist_ok=True)
    servers = [f"server {LOOPBACK}:{port}\\g<options>;" for port in front.nodes]
    text = (_DEPLOY / "nginx.conf").read_text()
    text = _listed(text, r"server 127\.0\.0\.1:\d+(?P<options>[^;]*);", servers)
    text = _once(text, r"listen 8000 ", f"listen {front.address} ")
    text = _once(text, r"client_max_body_size \d+;", f"client_max_body_size {front.upload_bytes};")
    text = _once(text, r"proxy_read_timeout 6s;", f"proxy_read_timeout {front.silence_seconds}s;")
    # Relative to the folder that the command names.
    text = text.replace(" /tmp/nginx", " nginx")
    settings = own / "nginx.conf"
    settings.write_text(text)
    return (program, "-p", str(own), "-c", str(settings), "-g", "daemon off;")


def _haproxy_command(program: str, front: Front, places: Places) -> tuple[str, ...]:
    servers = [f"server node-{i} {LOOPBACK}:{port}" for i, port in enumerate(front.nodes, 1)]
    text = (_DEPLOY / "haproxy.cfg").read_text()
    text = _listed(text, r"server node-\d+ 127\.0\.0\.1:\d+", servers, blocks=2)
    text = _once(text, r"bind :8000 ", f"bind {front.address} ")
    text = _once(text, r"body_size gt \d+", f"body_size gt {front.upload_bytes}")
    text = _once(text, r"timeout tunnel 6s", f"timeout tunnel {front.silence_seconds}s")
    settings = places.cluster / "haproxy.cfg"
    settings.write_text(text)
    return (program, "-W", "-db", "-f", str(settings))


_COMMANDS: dict[str, Callable[[str, Front, Places], tuple[str, ...]]] = {
    "nginx": _nginx_command,
    "haproxy": _haproxy_command,
}


def _listed(text: str, line: str, entries: Sequence[str], blocks: int = 1) -> str:
    """Return the text with other entries in place of each block of lines like this one."""

    def replaced(found: re.Match[str]) -> str:
        return "".join(f"{found['indent']}{found.expand(each)}\n" for each in entries)

    changed, count = re.subn(rf"(?m)(?:^(?P<indent> +){line}\n)+", replaced, text)
    assert count == blocks, line
    return changed


def _once(text: str, old: str, new: str) -> str:
    changed, count = re.subn(old, new, text)
    assert count == 1, old
    return changed
