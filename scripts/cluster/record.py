"""Writes down what runs, for scripts and operators."""

import json
import os
from collections.abc import Mapping
from typing import Any

from scripts.cluster.part import Part, Store
from scripts.cluster.plan import Plan
from scripts.cluster.ports import LOOPBACK


def record_of(plan: Plan, pids: Mapping[str, int | None]) -> dict[str, Any]:
    """Return what `cluster.json` says.

    pids: of the parts that run, by their names.
    """

    def store(store: Store) -> dict[str, Any]:
        return {"url": store.url, "pid": pid(store.part)}

    def pid(part: Part | None) -> int | None:
        return pids.get(part.name) if part else None

    return {
        "balancer": {"url": plan.url, "pid": pid(plan.balancer)},
        "nodes": [
            {"name": part.name, "url": f"http://{LOOPBACK}:{port}", "pid": pid(part)}
            for port, part in plan.nodes.items()
        ],
        "redis": store(plan.redis),
        "postgres": store(plan.postgres),
    }


def write_record(plan: Plan, pids: Mapping[str, int | None]) -> None:
    """Put the record in place of the last one, in one step; only its owner can read it.

    It holds the passwords of the stores.
    """
    path = plan.places.record
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(record_of(plan, pids), file, indent=2)
    fresh.replace(path)
