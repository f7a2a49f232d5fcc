"""Judges a history: `python -m scripts.chaos.checker HISTORY.jsonl --database URL`.

With `--effects FILE` also what tools did to the outside, as the rig's sink wrote it down.

Prints one JSON object; the exit status is 1 where anything is wrong.
"""

import argparse
import json
import sys
from pathlib import Path

from scripts.chaos.checker.outside import read_effects
from scripts.chaos.checker.stored import read_stored
from scripts.chaos.checker.verdict import conclude, conversations_of, follow
from scripts.chaos.checker.violations import Findings
from scripts.chaos.history import read_history


def main() -> int:
    """Judge and print."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos.checker", description=__doc__)
    parser.add_argument("history", type=Path)
    parser.add_argument("--database", required=True, help="postgresql://… or sqlite:///path")
    parser.add_argument("--effects", type=Path, help="what tools did: the lines of the sink")
    arguments = parser.parse_args()
    findings = Findings()
    delivery = follow(read_history(arguments.history), findings)
    stored = read_stored(arguments.database, conversations_of(delivery))
    effects = read_effects(arguments.effects) if arguments.effects else []
    verdict = conclude(delivery, stored, findings, effects)
    print(json.dumps(verdict.as_json(), indent=1))
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
