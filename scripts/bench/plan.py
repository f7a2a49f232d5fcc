"""What the orchestrator asks of the load driver, and what it gets back; both travel as JSON."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Wire = Literal["relay", "colloquy"]
Kind = Literal["paced", "saturated", "turns", "idle"]


class Plan(Struct):
    """One measurement.

    pid: the server's, whose CPU time and memory are read.
    listen_url: where the answers are listened to; empty: on the socket that asks.
    model_pid: the scripted model's, so that the load's own CPU time can be told.
    streams: how many sockets talk at once, or lie idle.
    rate: tokens a second per stream, for `paced`.
    seconds: how long the window is that counts, for `paced`.
    count: tokens per stream for `saturated`, turns for `turns`.
    question: what is asked in `turns`, before the script.
    """

    kind: Kind
    wire: Wire
    url: str
    pid: int
    model_pid: int
    listen_url: str = ""
    streams: int = 1
    rate: float = 30.0
    seconds: float = 10.0
    count: int = 100
    question: str = "Hello there!"


class Result(Struct):
    """What was measured.

    tokens: how many arrived in the window; turns, where turns were measured.
    seconds: how long the window was.
    cpu: CPU seconds of the server's processes in it.
    load_cpu: CPU seconds of the load driver and the scripted model in it.
    other_cpu: CPU seconds of everything else on the machine in it.
    p50, p95, p99: milliseconds of a token's way, or of the first token's overhead;
        None where none was measured.
    bytes_each: what one idle socket added to the server's memory.
    faults: what the server said instead of answering; empty is good.
    """

    tokens: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    load_cpu: float = 0.0
    other_cpu: float = 0.0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    bytes_each: float | None = None
    faults: list[str] = []

    def summarise(self, samples: Iterable[float]) -> None:
        """Take the percentiles of some milliseconds."""
        ordered = sorted(samples)
        if ordered:
            shares = (int(share * (len(ordered) - 1)) for share in (0.50, 0.95, 0.99))
            self.p50, self.p95, self.p99 = (ordered[place] for place in shares)
