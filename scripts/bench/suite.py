"""Which measurements are made of each server, and how long they are."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from scripts.bench.contenders import Contender
from scripts.bench.documents import QUESTION, upload
from scripts.bench.plan import Plan, Result
from scripts.bench.process import load_core, pinned

_DRIVER_SECONDS: Final = 180
_FULL: Final = 0.9


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    seconds: of each paced window.
    streams: how many streams at once are measured, one window each.
    saturated: tokens per stream.
    turns: for the overhead until the first token.
    sockets: that lie idle.
    """

    seconds: float = 10.0
    streams: tuple[int, ...] = (50, 200, 500)
    saturated: int = 4000
    turns: int = 150
    sockets: int = 1000


QUICK: Final = Sizes(seconds=3.0, streams=(200,), saturated=2000, turns=100, sockets=500)
FULL: Final = Sizes()
FLEET_STREAMS: Final = 200


def measure(server: Contender, model_pid: int, sizes: Sizes) -> dict[str, Result]:
    """Return all that is measured of one server, by name.

    One whose core is full is not given more streams: those rows are missing.
    """
    turns = Plan("turns", server.wire, server.socket_url, server.pid, model_pid, count=sizes.turns)
    # The memory first: what busy streams have left behind would hide what a socket takes.
    results = {
        "idle": drive(server, replace(turns, kind="idle", streams=sizes.sockets)),
        "straight": drive(server, turns),
        "saturated": drive(
            server, replace(turns, kind="saturated", streams=50, count=sizes.saturated)
        ),
    }
    paced = replace(turns, kind="paced", seconds=sizes.seconds)
    for streams in sizes.streams:
        result = drive(server, replace(paced, streams=streams))
        results[f"paced {streams}"] = result
        if result.cpu > _FULL * result.seconds:
            # More streams would only queue.
            break
    if server.wire == "colloquy":
        upload(server)
        results["retrieval"] = drive(server, replace(turns, question=QUESTION))
    return results


def measure_fleet(server: Contender, model_pid: int, sizes: Sizes) -> dict[str, Result]:
    """Return what is measured of two nodes, by the names of the same rows of one."""
    url = server.listen_socket_url
    turns = Plan("turns", server.wire, server.socket_url, server.pid, model_pid, listen_url=url)
    paced = replace(turns, kind="paced", seconds=sizes.seconds, streams=FLEET_STREAMS)
    return {
        "straight": drive(server, replace(turns, count=sizes.turns)),
        f"paced {FLEET_STREAMS}": drive(server, paced),
    }


def drive(server: Contender, plan: Plan) -> Result:
    """Run the load driver with one plan, in a process of its own, and return what it saw."""
    print(f"  {server.name}: {plan.kind}, {plan.streams} streams", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "scripts.bench.driver", msgspec.json.encode(plan).decode()]
    with pinned(command, load_core()) as process:
        try:
            output, _ = process.communicate(timeout=_DRIVER_SECONDS)
        except subprocess.TimeoutExpired:
            return Result(faults=["the load driver did not come back"])
    if process.returncode or not output:
        return Result(faults=[f"the load driver failed ({process.returncode})"])
    return msgspec.json.decode(output, type=Result)
