"""Reads what the outside wrote down that tools had it do; see `scripts.chaos.rig.sink`."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Effect:
    """What came to the outside. is_done: False where it had been done under this key before.

    t: see `Record`. receipt: what was answered.
    """

    t: float
    key: str
    task: str
    is_done: bool
    receipt: int


def read_effects(path: Path) -> list[Effect]:
    """Return what the outside wrote down. A line that was cut off was never done."""
    lines = (line for line in path.read_text().splitlines() if line.endswith("}"))
    return [
        Effect(each["t"], each["key"], each["task"], each["is_done"], each["receipt"])
        for each in map(json.loads, lines)
    ]
