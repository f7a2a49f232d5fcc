"""Runs a cluster until Ctrl-C.

usage: python -m scripts.cluster [--nodes 3] [--balancer nginx|haproxy|relay]
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator

from core.errors import SettingsError
from core.settings import Settings, load_settings
from scripts.cluster.locked import sole_cluster
from scripts.cluster.part import ClusterError, Places
from scripts.cluster.plan import make_plan
from scripts.cluster.supervisor import Supervisor

NODES = "3"


def main() -> int:
    """Run from the command line; faults are one sentence each."""
    parser = argparse.ArgumentParser(description="Runs a cluster on this machine until Ctrl-C.")
    parser.add_argument("--nodes", type=int, default=os.environ.get("NODES") or NODES)
    parser.add_argument("--balancer", default=os.environ.get("BALANCER", ""))
    asked = parser.parse_args()
    # As an exception it also ends what waits before the loop runs.
    signal.signal(signal.SIGTERM, _interrupt)
    faults: list[str] = []
    try:
        run(load_settings(), asked.nodes, asked.balancer)
    except* (ClusterError, SettingsError) as group:
        faults += map(str, _flat(group))
    except* KeyboardInterrupt:
        pass
    # Where several nodes fail, they fail for the same reason.
    for fault in faults[:1]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def run(settings: Settings, nodes: int, balancer: str) -> None:
    """Run a cluster with these settings until a signal comes. Raises `ClusterError`."""
    places = Places(settings.data_dir.resolve())
    places.cluster.mkdir(parents=True, exist_ok=True)
    with sole_cluster(places.cluster):
        say("Starting the cluster; the first time takes a little longer.")
        supervisor = Supervisor(make_plan(settings, nodes, balancer), say)
        asyncio.run(_until_told(supervisor))


async def _until_told(supervisor: Supervisor) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await supervisor.run()
    except asyncio.CancelledError:
        say("The cluster has stopped.")


def say(line: str) -> None:
    """Tell the person at the keyboard."""
    print(line, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _flat(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


if __name__ == "__main__":
    sys.exit(main())
