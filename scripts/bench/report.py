"""Lays the measurements out as one table, with the bars and whether they are met."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

from scripts.bench.plan import Result

Results = Mapping[str, Result]
"""All measurements of one server, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    measurement: which result it reads; where a server has none, its cell is empty.
    bar: the most that Colloquy may have; None: none.
    times_bare: the bar is in units of the bare relay's value.
    """

    label: str
    measurement: str
    read: Callable[[Result], float | None]
    digits: int = 2
    bar: float | None = None
    times_bare: bool = False


def rows(streams: Sequence[int]) -> list[Row]:
    """Return the table's lines for these numbers of streams."""
    table = [
        Row("50 streams, saturated: CPU µs/token", "saturated", microseconds, 1),
        Row("  tokens/s on one core", "saturated", _tokens_per_core, 0),
        Row("  load core busy %", "saturated", _load_share, 0),
    ]
    for count in streams:
        table += _paced_rows(count, f"paced {count}")
    return [
        *table,
        Row("straight to the writer: first token +ms p50", "straight", _p50, bar=8),
        Row("  p95", "straight", _p95),
        Row("  CPU ms/turn", "straight", _milliseconds),
        Row("  other processes, % of a core", "straight", _other_share, 0),
        Row("routing + retrieval: first token +ms p50", "retrieval", _p50, bar=25),
        Row("  p95", "retrieval", _p95),
        Row("  CPU ms/turn", "retrieval", _milliseconds),
        Row("idle socket, KiB", "idle", _kibibytes, 1, bar=40),
    ]


def table(bare: Results, fastapi: Results, colloquy: Results, streams: Sequence[int]) -> str:
    """Return the table, a line for each row that somebody has a value for."""
    head = ("", "bare relay", "FastAPI+httpx", "Colloquy", "x bare", "bar", "")
    lines: list[tuple[str, ...]] = [head]
    for row in rows(streams):
        values = [_value(row, results) for results in (bare, fastapi, colloquy)]
        if all(isnan(value) for value in values):
            continue
        ratio = values[2] / values[0] if values[0] else nan
        cells = [number(value, row.digits) for value in values]
        lines.append((row.label, *cells, number(ratio, 2), *_verdict(row, values[2], ratio)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def faults(name: str, results: Results) -> list[str]:
    """Return a line for each measurement that went wrong."""
    return [
        f"{name}, {measurement}: {len(result.faults)} faults, the first: {result.faults[0][:200]}"
        for measurement, result in results.items()
        if result.faults
    ]


def machine() -> str:
    """Say in one line what this was measured on."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}; server on one core, load on another; "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def _paced_rows(count: int, name: str) -> list[Row]:
    is_full = count == 500
    return [
        Row(
            f"{count} streams of 30/s: CPU µs/token",
            name,
            microseconds,
            1,
            bar=2 if count == 200 else None,
            times_bare=True,
        ),
        Row("  tokens/s", name, lambda one: one.tokens / one.seconds, 0),
        Row("  transit ms p50", name, _p50, bar=2 if is_full else None),
        Row("  p95", name, _p95),
        Row("  p99", name, _p99, bar=25 if is_full else None),
        Row("  server core busy %", name, lambda one: 100 * one.cpu / one.seconds, 0),
        Row("  load core busy %", name, _load_share, 0),
        Row("  other processes, % of a core", name, _other_share, 0),
    ]


def _p50(result: Result) -> float | None:
    return result.p50


def _p95(result: Result) -> float | None:
    return result.p95


def _p99(result: Result) -> float | None:
    return result.p99


def microseconds(result: Result) -> float:
    """Return the CPU time of a token."""
    return result.cpu / result.tokens * 1e6


def _milliseconds(result: Result) -> float:
    return result.cpu / result.tokens * 1e3


def _tokens_per_core(result: Result) -> float:
    return result.tokens / result.cpu


def _kibibytes(result: Result) -> float | None:
    return None if result.bytes_each is None else result.bytes_each / 1024


def _load_share(result: Result) -> float:
    return 100 * result.load_cpu / result.seconds


def _other_share(result: Result) -> float:
    return 100 * result.other_cpu / result.seconds


def _value(row: Row, results: Results) -> float:
    try:
        value = row.read(results[row.measurement])
    except (KeyError, ZeroDivisionError):
        return nan
    return nan if value is None else value


def number(value: float, digits: int) -> str:
    """Return a cell; empty for what was not measured."""
    return "" if isnan(value) else f"{value:,.{digits}f}"


def _verdict(row: Row, value: float, ratio: float) -> tuple[str, str]:
    if row.bar is None:
        return "", ""
    measured, unit = (ratio, "x") if row.times_bare else (value, "")
    if isnan(measured):
        return f"<= {row.bar:g}{unit}", "not measured"
    return f"<= {row.bar:g}{unit}", "met" if measured <= row.bar else "MISSED"
