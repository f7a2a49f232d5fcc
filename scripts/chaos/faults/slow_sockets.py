"""F13: clients that do not read, or hardly; what they cost, and how soon they are gone."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from scripts.bench.process import resident_bytes
from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.history import read_history
from scripts.chaos.pauses import delays_of, spread_of

_DEAF = 200
_DRIPPING = 20
_DRIP_BYTES = 1024
_BUFFER_BYTES = 4096
_WATCH_SECONDS = 30.0
_CALM_SECONDS = 10.0
# More than the kernel and the outbox keep for one socket.
_LONG = "Tell me about the sea. [[tokens=60000 voice=1]]"
_MIB = 1024 * 1024
_HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)


@dataclass(slots=True)
class SlowSocket:
    """A subscriber on a bare socket with the smallest buffer there is."""

    socket: socket.socket
    port: int

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


async def crowd_out(scene: Scene) -> None:
    """Let many slow readers ask for a long conversation while others talk."""
    await asyncio.sleep(_CALM_SECONDS)
    conversation = await _long_conversation(scene)
    before = _resident(scene)
    scene.mark("slow readers come", [])
    came = time.monotonic()
    sockets = [await _open(scene, number, conversation) for number in range(_DEAF + _DRIPPING)]
    drips = asyncio.create_task(_drip(sockets[_DEAF:]))
    grown, gone_after = 0, None
    deaf = {each.port for each in sockets[:_DEAF]}
    while time.monotonic() - came < _WATCH_SECONDS:
        grown = max(grown, _resident(scene) - before)
        if gone_after is None and not deaf & await asyncio.to_thread(_kept_ports):
            gone_after = time.monotonic() - came
        await asyncio.sleep(0.5)
    drips.cancel()
    for each in sockets:
        each.close()
    _tell(scene, came, grown, gone_after)


def _tell(scene: Scene, came: float, grown: int, gone_after: float | None) -> None:
    scene.history.flush()
    delays = delays_of(read_history(scene.history.path))
    calm = spread_of(late for t, late in delays if t < came)
    busy = spread_of(late for t, late in delays if came <= t < came + _WATCH_SECONDS)
    gone = "never" if gone_after is None else f"after {gone_after:.1f} s"
    scene.notes += [
        f"nodes grew by {grown / _MIB:.0f} MiB (bar 100); deaf sockets were gone {gone} (bar 15)",
        f"a token took p95 {(calm.p95 or 0) * 1000:.0f} ms before, {(busy.p95 or 0) * 1000:.0f} ms "
        "with them (bars: twice as long, 150 ms)",
    ]
    if gone_after is None:
        scene.failures.append("sockets that never read were still there after 30 s")


async def _long_conversation(scene: Scene) -> str:
    person = scene.crowd.client("host")
    async with asyncio.TaskGroup() as group:
        stays = group.create_task(person.run())
        ask = await person.ask(person.prepare(_LONG), 60)
        if not ask.has_ended:
            scene.failures.append("the long answer did not end")
        stays.cancel()
    return person.talk.conversation_id


async def _open(scene: Scene, number: int, conversation: str) -> SlowSocket:
    parts = urlsplit(scene.rig.nodes[number % len(scene.rig.nodes)].socket_url)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, (parts.hostname, parts.port))
    await loop.sock_sendall(slow, _HANDSHAKE.format(host=parts.netloc).encode())
    # The upgrade's answer is all that is ever read.
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await loop.sock_recv(slow, 1)
    subscribe = {"type": "subscribe", "id": "2", "conversation_id": conversation}
    hello = {"type": "hello", "id": "1", "protocol": 1}
    await loop.sock_sendall(slow, _frame(hello) + _frame(subscribe))
    return SlowSocket(slow, int(slow.getsockname()[1]))


def _frame(command: Mapping[str, object]) -> bytes:
    payload = json.dumps(command).encode()
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    # A mask of zeros leaves the payload as it is; the protocol allows it.
    return b"\x81" + length + b"\0\0\0\0" + payload


async def _drip(sockets: list[SlowSocket]) -> None:
    """Read a kilobyte a second from each."""
    loop = asyncio.get_running_loop()
    while sockets:
        for slow in tuple(sockets):
            try:
                async with asyncio.timeout(0.01):
                    if not await loop.sock_recv(slow.socket, _DRIP_BYTES):
                        sockets.remove(slow)
            except TimeoutError:
                pass
            except OSError:
                sockets.remove(slow)
        await asyncio.sleep(1)


def _kept_ports() -> set[int]:
    """Return the remote ports of all connections that the kernel keeps, by `ss`."""
    listing = subprocess.run(
        ["ss", "-Htn", "state", "established", "state", "fin-wait-1", "state", "closing"],
        capture_output=True,
        text=True,
        check=True,
    )
    peers = (line.split()[-1] for line in listing.stdout.splitlines() if line.strip())
    return {int(peer.rpartition(":")[2]) for peer in peers}


def _resident(scene: Scene) -> int:
    return sum(resident_bytes(node.process.pid) for node in scene.rig.nodes)


def slow_faults() -> list[Fault]:
    """Return F13."""
    # Their tokens say when they were sent, so that it can be told how late they came.
    habits = Habits(conversations=15, tokens=300, rate=10, words="stamp=1", cancels=0, hurries=0)
    return [Fault("F13", "220 slow readers", crowd_out, 1, habits=habits)]
