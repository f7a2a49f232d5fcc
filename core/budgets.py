"""What a run, a person and a tenant may use up: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used. money: in the currency of the settings' prices. seconds: of work."""

    tool_calls: int = 0
    model_calls: int = 0
    tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Spent)))


NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of each may be used; None: as much as it takes."""

    tool_calls: int | None = None
    model_calls: int | None = None
    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None


NO_LIMIT = Budget()


@dataclass(frozen=True, slots=True)
class Exhausted:
    """What is used up. whose: `run`, `user` or `tenant`. what: a field of `Budget`."""

    whose: str
    what: str


def exhausted(whose: str, budget: Budget, spent: Spent) -> Exhausted | None:
    """Return the first limit that is reached; None where there is room for more of everything."""
    for field in fields(Budget):
        limit = getattr(budget, field.name)
        if limit is not None and getattr(spent, field.name) >= limit:
            return Exhausted(whose, field.name)
    return None


def first_exhausted(pairs: Sequence[tuple[str, Budget, Spent]]) -> Exhausted | None:
    """Return the first of several budgets that is used up."""
    return next((found for pair in pairs if (found := exhausted(*pair)) is not None), None)
