"""Measures what the executor adds to a call, its record in the database included."""

import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from app.tools.calls import Answered, Call
from app.tools.tool import Tool, ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect, Outcome
from scripts.evaluation.workbench import AGENT, Workbench

ALONE: Final = 500
AT_ONCE: Final = 100
ROUNDS: Final = 20
WARM_UP: Final = 50


class Nothing(ToolArguments):
    """Nothing is needed."""


@tool(
    name="nothing",
    description="Does nothing.",
    effect=Effect.READ,
    roles={USER},
)
async def nothing(arguments: Nothing, context: ToolContext) -> str:
    """Return at once."""
    return "ok"


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds for one call, at p50. are_whole: all calls of every step were answered.

    alone: calls made one after the other. at_once: a hundredth of a step of a hundred calls.
    """

    alone_ms: float
    alone_p95_ms: float
    at_once_ms: float
    are_whole: bool


async def measure_overhead(bench: Workbench) -> Overhead:
    """Return what calls take of a tool that does nothing."""
    tools: dict[str, Tool] = {nothing.name: nothing}
    executor = bench.executor(tools)
    counted = 0

    async def step(name: str, size: int) -> float:
        nonlocal counted
        calls = [Call(f"{name}-{number}", nothing.name, "{}", AGENT) for number in range(size)]
        begun = perf_counter()
        came = await executor.run(calls, bench.facts, lambda answered: None)
        took = perf_counter() - begun
        counted += sum(isinstance(one, Answered) and one.outcome is Outcome.DONE for one in came)
        return took * 1000 / size

    for number in range(WARM_UP):
        await step(f"warm-{number}", 1)
    alone = [await step(f"alone-{number}", 1) for number in range(ALONE)]
    at_once = [await step(f"once-{number}", AT_ONCE) for number in range(ROUNDS)]
    return Overhead(
        alone_ms=statistics.median(alone),
        alone_p95_ms=statistics.quantiles(alone, n=20)[-1],
        at_once_ms=statistics.median(at_once),
        are_whole=counted == WARM_UP + ALONE + ROUNDS * AT_ONCE,
    )
