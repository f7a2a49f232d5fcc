"""Describes a fault: what is done, how often, and what is expected."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.scene import Scene

Needs = Literal["direct", "proxies", "single"]
Inject = Callable[[Scene], Awaitable[None]]


async def nothing(scene: Scene) -> None:
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is aimed at, in seconds of silence; None: nothing."""

    p95: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    inject: does it once, and returns when the next may come.
    count: how often; subset: how often in CI, 0: not at all.
    limit_seconds: no injection begins later than this.
    pause_seconds: between two injections, at most.
    before, after: prepare the rig and bring it back to what it was.
    needs: the rig: `direct`, with `proxies` on every link, or a `single` node on SQLite.
    is_asked_for: performed only where it is named.
    """

    id: str
    title: str
    inject: Inject
    count: int
    subset: int = 0
    bar: Bar = field(default_factory=Bar)
    limit_seconds: float = 420.0
    pause_seconds: float = 1.5
    before: Inject = nothing
    after: Inject = nothing
    habits: Habits = field(default_factory=Habits)
    needs: Needs = "direct"
    is_asked_for: bool = False
