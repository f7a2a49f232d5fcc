"""Says what it costs when another node, over Redis, gives the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan

from scripts.bench.plan import Result
from scripts.bench.report import Results, microseconds, number

_HEAD = ("", "one node", "two, Redis", "", "bar", "")


@dataclass(frozen=True, slots=True)
class _Row:
    """A measurement of one node and of two, and how they compare.

    is_ratio: whether they are divided; else the difference is shown.
    bar: the most that the comparison may be; None: none.
    """

    label: str
    measurement: str
    read: Callable[[Result], float | None]
    is_ratio: bool = False
    bar: float | None = None

    def cells(self, one: Results, two: Results) -> tuple[str, ...]:
        near, far = self._value(one), self._value(two)
        compared = far - near
        if self.is_ratio:
            compared = far / near if near else nan
        unit = "x" if self.is_ratio else " more"
        return (
            self.label,
            number(near, 2),
            number(far, 2),
            "" if isnan(compared) else f"{number(compared, 2)}{unit}",
            *self._verdict(compared, unit),
        )

    def _value(self, results: Results) -> float:
        result = results.get(self.measurement)
        value = self.read(result) if result is not None and result.tokens else None
        return nan if value is None else value

    def _verdict(self, compared: float, unit: str) -> tuple[str, str]:
        if self.bar is None:
            return "", ""
        if isnan(compared):
            return f"<= {self.bar:g}{unit}", "not measured"
        return f"<= {self.bar:g}{unit}", "met" if compared <= self.bar else "MISSED"


def fleet_table(one: Results, two: Results, streams: int) -> str:
    """Return the table; the sockets that hear are on the node that does not run the answers."""
    paced = f"paced {streams}"
    rows = (
        _Row(
            f"{streams} streams of 30/s: CPU µs/token, all processes",
            paced,
            microseconds,
            True,
            1.5,
        ),
        _Row("  transit ms p50", paced, lambda result: result.p50, bar=5),
        _Row("  p99", paced, lambda result: result.p99),
        _Row("straight to the writer: first token +ms p50", "straight", lambda result: result.p50),
    )
    lines = [_HEAD, *(row.cells(one, two) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )
