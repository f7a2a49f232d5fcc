"""A tool that rolls dice."""

import random

from pydantic import Field

from app.tools.tool import ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class RollDiceArguments(ToolArguments):
    """Which dice are rolled."""

    count: int = Field(default=2, ge=1, le=100, description="How many dice.")
    sides: int = Field(default=6, ge=2, le=1000, description="How many sides each has.")


@tool(
    name="roll_dice",
    description="Rolls dice and tells what each shows.",
    effect=Effect.READ,
    roles={USER},
    circuit=None,
)
async def roll_dice(arguments: RollDiceArguments, context: ToolContext) -> list[int]:
    """Return what the dice show."""
    return [random.randint(1, arguments.sides) for _ in range(arguments.count)]
