"""What a turn has spent so far, and whether it may spend more."""

import asyncio

from app.agents.turn import Allowance, SpentState, TurnFacts, TurnState, spent_state
from core.budgets import NOTHING, Budget, Exhausted, Spent, first_exhausted
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


def begin_step(facts: TurnFacts, state: TurnState) -> None:
    """Note, in an attempt's first step that spends, what the attempts before it have spent."""
    if not facts.spent_here:
        facts.spent_here.append(spent_by(state, facts.run_id))


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
    elapsed = Spent(seconds=asyncio.get_running_loop().time() - facts.started_at)
    pairs = [(one, _spent_of(one, facts, state) + elapsed) for one in facts.allowances]
    return first_exhausted([(one.whose, one.budget, spent) for one, spent in pairs])


def budget_of_calls(facts: TurnFacts, state: TurnState) -> Budget:
    """Return how many calls may be made, and how much money spent on them, from now on."""
    calls: list[int] = []
    money: list[float] = []
    for one in facts.allowances:
        spent = _spent_of(one, facts, state)
        if one.budget.tool_calls is not None:
            calls.append(one.budget.tool_calls - spent.tool_calls)
        if one.budget.money is not None:
            money.append(one.budget.money - spent.money)
    return Budget(tool_calls=min(calls, default=None), money=min(money, default=None))


def _spent_of(allowance: Allowance, facts: TurnFacts, state: TurnState) -> Spent:
    """Return what was spent of an allowance.

    Runs that this one continues are in a day's account already.
    """
    is_run = allowance.whose == "run"
    return allowance.before + (spent_in_all(state) if is_run else spent_by(state, facts.run_id))
