"""Says in words which budget is used up, to a model and to a person."""

from core.budgets import Exhausted

_OWNERS = {"run": "this turn", "user": "this person today", "tenant": "this organisation today"}
_THINGS = {
    "tool_calls": "tool calls",
    "model_calls": "model calls",
    "tokens": "tokens",
    "money": "money",
    "seconds": "time",
}


LAST_ROUND = """\
You can call no more tools in this turn. Answer now with what you have, and say plainly what is \
missing."""


def name_of(limit: Exhausted) -> str:
    """Return, for example, `the budget of tool calls for this turn`."""
    thing = _THINGS.get(limit.what, limit.what)
    return f"the budget of {thing} for {_OWNERS.get(limit.whose, limit.whose)}"


def notice_of(limit: Exhausted) -> str:
    """Return the sentence that ends an answer which had to be short, whatever the model said."""
    return f"*This answer had to end here: {name_of(limit)} is used up.*"


def wrap_up_rule(limit: Exhausted) -> str:
    """Return what the model is told when it has to end."""
    return (
        f"You can call no more tools: {name_of(limit)} is used up. Answer now, in short, with what "
        "you have, and say plainly what is missing and that the budget was used up."
    )
