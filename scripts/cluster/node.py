"""Describes the nodes."""

import sys
from pathlib import Path

from scripts.cluster.part import Part
from scripts.cluster.ports import LOOPBACK
from scripts.cluster.probe import http_status

MAIN = Path(__file__).parents[2] / "main.py"
# A node takes up to 15 s to stop in order.
NODE_STOP_SECONDS = 20.0


def node_part(number: int, port: int, shared: dict[str, str]) -> Part:
    """Return one node.

    shared: the settings that all nodes have in common, by their names in capitals; every other
        setting is the supervisor's own, from its environment or `.env`.
    """
    name = f"node-{number}"

    async def is_ready() -> bool:
        return await http_status(LOOPBACK, port, "/readyz") == 200

    return Part(
        name,
        (sys.executable, str(MAIN)),
        is_ready,
        environment={**shared, "HOST": LOOPBACK, "PORT": str(port), "NODE_NAME": name},
        stop_seconds=NODE_STOP_SECONDS,
    )
