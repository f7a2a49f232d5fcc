"""Breaks a cluster on purpose: `python -m scripts.chaos`, or `make chaos`.

It starts nodes, stores and a model of its own, lets clients talk, does what can go wrong, and has
a program of its own judge whether anything was lost, repeated or mixed. The exit status is 1
where it was; with --strict also where an answer was silent for longer than its bar.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import get_args

from scripts.chaos.faults.catalog import all_faults
from scripts.chaos.faults.fault import Fault, Needs
from scripts.chaos.report import Row, machine, remarks, table
from scripts.chaos.rig.rig import ROOT, Rig, open_rig, open_single
from scripts.chaos.suite import Suite, chosen


def main() -> int:
    """Perform and print."""
    arguments = _parser().parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("make chaos reads /proc and stops processes by signals: it needs Linux")
    only = [each for each in arguments.only.split(",") if each]
    faults = chosen(all_faults(), only)
    if arguments.subset and not only:
        faults = [fault for fault in faults if fault.subset]
    print(machine(), flush=True)
    rows = asyncio.run(_perform(faults, arguments))
    print(table(rows))
    _write_table(arguments.artifacts, rows)
    is_good = all(row.is_correct and (row.is_in_time or not arguments.strict) for row in rows)
    return 0 if is_good and len(rows) == len(faults) else 1


async def _perform(faults: list[Fault], arguments: argparse.Namespace) -> list[Row]:
    """Perform the faults, those that need the same rig on the same one."""
    arguments.artifacts.mkdir(parents=True, exist_ok=True)
    suite = Suite(arguments.artifacts, arguments.seed)
    rows: list[Row] = []
    for needs in get_args(Needs):
        some = [fault for fault in faults if fault.needs == needs]
        if some:
            await _perform_on_rig(some, needs, suite, arguments, rows)
    return rows


async def _perform_on_rig(
    faults: list[Fault],
    needs: Needs,
    suite: Suite,
    arguments: argparse.Namespace,
    rows: list[Row],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="colloquy-chaos-"))
    try:
        async with _rig(needs, folder) as rig:
            for fault in faults:
                begun = time.monotonic()
                count = arguments.times or (fault.subset if arguments.subset else fault.count)
                row = await suite.perform(fault, count or fault.count, rig)
                rows.append(row)
                print(_line(row, time.monotonic() - begun), flush=True)
    finally:
        _keep_logs(folder, arguments.artifacts / f"logs-{needs}")
        shutil.rmtree(folder, ignore_errors=True)


def _rig(needs: Needs, folder: Path) -> AbstractAsyncContextManager[Rig]:
    if needs == "single":
        return open_single(folder)
    return open_rig(folder, proxied=needs == "proxies")


def _line(row: Row, seconds: float) -> str:
    said = "".join(f"\n  {each}" for each in remarks(row))
    state = "pass" if row.is_correct else "FAIL"
    return f"{row.id} {row.title}: {state}, {row.injections} times, {seconds:.0f} s{said}"


def _keep_logs(folder: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for log in (folder / "data" / "cluster").glob("*.log"):
        shutil.copy(log, kept / log.name)


def _write_table(artifacts: Path, rows: list[Row]) -> None:
    said = [line for row in rows for line in remarks(row, most=50)]
    (artifacts / "table.txt").write_text("\n".join([machine(), table(rows), *said, ""]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--subset", action="store_true", help="what CI runs: 8 minutes or less")
    parser.add_argument("--only", default="", help="these faults, by commas: F1,F3,F2")
    parser.add_argument("--times", type=int, default=0, help="how often each; 0: as is its custom")
    parser.add_argument("--strict", action="store_true", help="fail where a bar in time is missed")
    parser.add_argument("--seed", type=int, default=1, help="for the choices that are by chance")
    parser.add_argument("--artifacts", type=Path, default=ROOT / "artifacts" / "chaos")
    return parser


if __name__ == "__main__":
    sys.exit(main())
