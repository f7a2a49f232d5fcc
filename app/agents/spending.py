"""What a turn has spent so far, and whether it may spend more."""

import asyncio

from app.agents.turn import SpentState, TurnFacts, TurnState, spent_state
from core.budgets import NOTHING, Exhausted, Spent, first_exhausted
from core.ids import RunId
from core.runs import Usage


class Prices:
    """What a model's tokens cost, in money for a million of them."""

    def __init__(self, input_price: float = 0.0, output_price: float = 0.0) -> None:
        self._input = input_price / 1_000_000
        self._output = output_price / 1_000_000

    def of(self, usage: Usage | None) -> Spent:
        """Return what one call of the model has used; its tokens are unknown where it says none."""
        if usage is None:
            return Spent(model_calls=1)
        taken, given = usage.input_tokens or 0, usage.output_tokens or 0
        money = taken * self._input + given * self._output
        return Spent(model_calls=1, tokens=taken + given, money=money)


def by_run(facts: TurnFacts, spent: Spent) -> dict[str, SpentState]:
    """Note what a step has spent, and return it for the turn's state."""
    facts.spent_here.append(spent)
    return {facts.run_id: spent_state(spent)}


def spent_by(state: TurnState, run_id: RunId) -> Spent:
    """Return what one run has spent of what its state knows."""
    kept = state.get("spent", {}).get(run_id)
    return NOTHING if kept is None else Spent(**kept)


def spent_in_all(state: TurnState) -> Spent:
    """Return what the turn has spent, all runs that continue it included."""
    return sum((Spent(**kept) for kept in state.get("spent", {}).values()), NOTHING)


def used_up(facts: TurnFacts, state: TurnState) -> Exhausted | None:
    """Return the first budget that leaves nothing for another step."""
    if not facts.allowances:
        return None
    elapsed = asyncio.get_running_loop().time() - facts.started_at
    spent = spent_in_all(state) + Spent(seconds=elapsed)
    return first_exhausted(
        [(one.whose, one.budget, one.before + spent) for one in facts.allowances]
    )
