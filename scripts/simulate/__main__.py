"""Simulates many nodes: `python -m scripts.simulate`, or `make simulate`.

Without arguments: every scenario, a table each. All of it is worked out from the costs in
`scripts/simulate/costs.py`; the same seed gives the same figures.
"""

import argparse
import sys
from pathlib import Path

from scripts.simulate.costs import Costs
from scripts.simulate.real_run import BadRecord, compared, read_record
from scripts.simulate.report import SCENARIOS
from scripts.simulate.sheets import comparison_table, costs_table, people_table


def main(arguments: list[str] | None = None) -> int:
    """Print what was asked for; 1 where a real run is not what was simulated, 2 without one."""
    asked = _parser().parse_args(arguments)
    costs = Costs()
    if asked.against is not None:
        return _compare(asked.against, costs, asked.seed)
    if asked.costs:
        print(costs_table(costs))
    if asked.people:
        print(people_table(asked.people, costs))
    if asked.scenarios or not (asked.costs or asked.people):
        for name in asked.scenarios or SCENARIOS:
            print(SCENARIOS[name](costs, asked.seed), flush=True)
    return 0


def _compare(path: Path, costs: Costs, seed: int) -> int:
    try:
        run = read_record(path)
    except BadRecord as error:
        print(error, file=sys.stderr)
        return 2
    comparisons = compared(run, costs, seed)
    print(f"{len(run.pauses_seconds)} pauses of {path.name}\n")
    print(comparison_table(comparisons))
    return int(not all(each.is_within for each in comparisons))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.simulate", description=__doc__)
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"only these: {', '.join(SCENARIOS)}"
    )
    parser.add_argument(
        "--people",
        nargs="+",
        type=_count,
        metavar="N",
        help="what a fleet for so many connected people needs",
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE.json", help="compare with the pauses of a real run"
    )
    parser.add_argument("--costs", action="store_true", help="every cost and where it comes from")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


if __name__ == "__main__":
    sys.exit(main())
