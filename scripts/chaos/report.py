"""Lays out what the faults did as one table."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field

from scripts.chaos.faults.fault import Bar
from scripts.chaos.history import Json
from scripts.chaos.pauses import Spread

_HEAD = (
    "fault", "", "times", "runs", "taken", "failed", "resets", "lost", "gaps", "twice", "wrong",
    "p50", "p95", "max", "bar", "", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one fault.

    verdict: the checker's. failures: what is wrong besides, in sentences.
    """

    id: str
    title: str
    injections: int
    verdict: Json
    spread: Spread
    bar: Bar
    failures: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=list)

    @property
    def is_correct(self) -> bool:
        """Whether nothing was lost, left out, repeated or wrong."""
        return not self.failures and not self.verdict["violations"]

    @property
    def is_in_time(self) -> bool:
        """Whether the silences stayed below the bar."""
        pairs = ((self.spread.p95, self.bar.p95), (self.spread.longest, self.bar.longest))
        return all(got is None or bar is None or got <= bar for got, bar in pairs)


def table(rows: Sequence[Row]) -> str:
    """Return a line for each fault, and below what there is to say about it."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    text = [
        "  ".join(
            [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
            + [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        ).rstrip()
        for line in lines
    ]
    return "\n".join(text)


def remarks(row: Row, most: int = 5) -> list[str]:
    """Return what is wrong with a fault, and what is to be known."""
    wrong = [*row.failures, *row.verdict["violations"]]
    said = [f"{row.id}: {each}" for each in (*wrong[:most], *row.notes[:most])]
    if len(wrong) > most:
        said.insert(most, f"{row.id}: and {len(wrong) - most} more")
    return said


def told_effects(verdict: Json) -> list[str]:
    """Say what tools did to the outside; nothing where none did."""
    effects = verdict["effects"]
    if not effects["tasks"]:
        return []
    words = ", ".join(f"{count} {word}" for word, count in sorted(effects["words"].items()))
    return [
        f"{effects['tasks']} tasks, done {effects['done']} times, {effects['again']} arrivals more"
        f" of what was done already; {effects['unrecorded']} whose record was lost, "
        f"{effects['unknown']} questions what became of a call; answers: {words or 'none'}"
    ]


def machine() -> str:
    """Say in one line what this was measured on."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, Python "
        f"{platform.python_version()}; load average {os.getloadavg()[0]:.1f}; silences in seconds"
    )


def _cells(row: Row) -> tuple[str, ...]:
    verdict, spread, bar = row.verdict, row.spread, row.bar
    columns = ("runs", "taken_over", "failed", "resets", "lost", "gaps", "duplicated", "wrong")
    return (
        row.id,
        row.title,
        str(row.injections),
        *(str(verdict[column]) for column in columns),
        *(_seconds(value) for value in (spread.p50, spread.p95, spread.longest)),
        "" if bar.p95 is None else f"<= {bar.p95:g}",
        _timing(row),
        "pass" if row.is_correct else "FAIL",
    )


def _timing(row: Row) -> str:
    if row.bar.p95 is None or row.spread.p95 is None:
        return ""
    return "met" if row.is_in_time else "MISSED"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
