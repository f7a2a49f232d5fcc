"""Percentiles and tables."""

from collections.abc import Iterable, Sequence
from math import isnan, nan


def percentile(samples: Iterable[float], share: float) -> float:
    """Return the sample that this share of all is at or below; NaN where there is none."""
    ordered = sorted(samples)
    return ordered[round(share * (len(ordered) - 1))] if ordered else nan


def peak_rate(times: Iterable[float], window_seconds: float = 1.0) -> float:
    """Return how many a second there were in the busiest of all windows of this length."""
    ordered = sorted(times)
    most = first = 0
    for last, time in enumerate(ordered):
        while ordered[first] <= time - window_seconds:
            first += 1
        most = max(most, last - first + 1)
    return most / window_seconds


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    """Return a table as text: the first column to the left, numbers to the right."""
    lines = [[*map(str, head)], *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    laid = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    ]
    return "\n".join([title, "", *(f"  {line}" for line in laid), ""])


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if isnan(value):
        return "none"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
