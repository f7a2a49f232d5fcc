"""Prints what a token and a turn cost: `python -m scripts.bench`, or `make bench`.

Three servers in turn, and then two nodes with Redis and Postgres, each alone on one core; the
scripted model and the load driver share another. CPU time is that of the server's processes,
from /proc, children included.
"""

import argparse
import sys
from contextlib import AbstractContextManager

from scripts.bench.contenders import Contender, colloquy, fleet, relay, scripted_model
from scripts.bench.fleet_report import fleet_table
from scripts.bench.report import Results, faults, machine, table
from scripts.bench.suite import FLEET_STREAMS, FULL, QUICK, Sizes, measure, measure_fleet

_NAMES = ("bare", "fastapi", "colloquy", "fleet")


def main() -> None:
    """Measure and print."""
    arguments = _parser().parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("make bench reads /proc and binds processes to cores: it needs Linux")
    sizes = QUICK if arguments.quick else FULL
    print(machine(), flush=True)
    results = {name: _one(name, sizes) if name in arguments.only else {} for name in _NAMES}
    print(table(results["bare"], results["fastapi"], results["colloquy"], sizes.streams))
    if results["fleet"]:
        print(fleet_table(results["colloquy"], results["fleet"], FLEET_STREAMS))
    for name in _NAMES:
        for line in faults(name, results[name]):
            print(line)
    ours = (*results["colloquy"].values(), *results["fleet"].values())
    sys.exit(any(result.faults for result in ours))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a minute or so: rougher numbers, and no 500 streams"
    )
    parser.add_argument(
        "--only", nargs="+", choices=_NAMES, default=_NAMES, help="measure only these"
    )
    return parser


def _one(name: str, sizes: Sizes) -> Results:
    with scripted_model() as model, _contender(name, model.url) as server:
        work = measure_fleet if name == "fleet" else measure
        results = work(server, model.pid, sizes)
        if server.wire == "colloquy" and any(result.faults for result in results.values()):
            print(server.last_words(), file=sys.stderr)
        return results


def _contender(name: str, model_url: str) -> AbstractContextManager[Contender]:
    if name == "colloquy":
        return colloquy(model_url)
    if name == "fleet":
        return fleet(model_url)
    return relay(name, f"scripts.bench.{name}_relay", model_url)


if __name__ == "__main__":
    main()
