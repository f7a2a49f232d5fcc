"""Evaluates: `python scripts/evaluate.py tools --data PATH`; exits 1 below the bar.

tools: replays the cases of the Berkeley Function Calling Leaderboard (`BFCL_v4_*.json` in PATH,
with `possible_answer/`) against the executor of tool calls.
"""

import argparse
import asyncio
import sys
from pathlib import Path

if __package__ in (None, ""):
    # Called by its path, Python looks for modules beside this file only.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.evaluation.cases import NoCases
from scripts.evaluation.tools import evaluate_tools


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 where a bar is missed, 2 where there are no cases."""
    asked = _parser().parse_args(arguments)
    try:
        report = asyncio.run(evaluate_tools(asked.data))
    except NoCases as error:
        print(error, file=sys.stderr)
        return 2
    print(report.table())
    return int(not report.is_good)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python scripts/evaluate.py", description=__doc__)
    parser.add_argument("what", choices=["tools"], help="what is evaluated")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the cases")
    return parser


if __name__ == "__main__":
    sys.exit(main())
