"""Evaluates the executor of tool calls on public function-calling cases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.evaluation.case_run import Tally, run_case
from scripts.evaluation.cases import read_cases
from scripts.evaluation.overhead import AT_ONCE, Overhead, measure_overhead
from scripts.evaluation.workbench import workbench

OVERHEAD_MS: Final = 1.0
"""The most that the executor may add to a call, at p50."""

FAULTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class ToolReport:
    """What came of all cases, and what a call costs."""

    tally: Tally
    overhead: Overhead

    @property
    def is_good(self) -> bool:
        """Whether everything went well and calls are quick enough."""
        is_quick = self.overhead.alone_ms <= OVERHEAD_MS and self.overhead.are_whole
        return bool(self.tally.all) and self.tally.right == self.tally.all and is_quick

    def table(self) -> str:
        """Return the figures as a table, and the first faults below it."""
        tally, cost = self.tally, self.overhead
        rows = [
            (what, f"{tally.right[what]:,} of {of:,}", _passed(tally.right[what] == of))
            for what, of in tally.all.items()
        ]
        rows += [
            (
                "one call alone, p50",
                f"{cost.alone_ms:.2f} ms",
                _passed(cost.alone_ms <= OVERHEAD_MS),
            ),
            ("one call alone, p95", f"{cost.alone_p95_ms:.2f} ms", ""),
            (f"each of {AT_ONCE} calls at once, p50", f"{cost.at_once_ms:.2f} ms", ""),
            (f"{AT_ONCE} calls at once all answer", "", _passed(cost.are_whole)),
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c}".rstrip() for a, b, c in rows]
        return "\n".join([*lines, *tally.faults[:FAULTS_SHOWN]])


def _passed(is_good: bool) -> str:
    return "ok" if is_good else "below the bar"


async def evaluate_tools(data: Path) -> ToolReport:
    """Run all cases in a folder. Raises `NoCases`."""
    cases = read_cases(data)
    tally = Tally()
    async with workbench() as bench:
        # First, before thousands of other calls are on record.
        overhead = await measure_overhead(bench)
        for case in cases:
            await run_case(bench, case, tally)
    return ToolReport(tally, overhead)
