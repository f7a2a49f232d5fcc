"""The tool that works out an arithmetic expression, in bounded time and memory."""

import ast
import math
import operator
from collections.abc import Callable

from pydantic import Field
from simpleeval import (  # type: ignore[import-untyped] # it has none
    InvalidExpression,
    SimpleEval,
)

from app.tools.notation import in_python
from app.tools.tool import Repairable, ToolArguments, ToolContext, ToolError, tool
from core.principal import USER
from core.tools import Effect

Number = int | float

EXPRESSION_LIMIT = 200
"""Longest expression in characters; with the limits on numbers it bounds the work (about 1 ms)."""

_BITS = 4096
"""Whole numbers up to about 1,200 digits; a power or product beyond is refused, not tried."""

_FACTORIAL_LIMIT = 500
_PLACES_LIMIT = 100


class CalculateArguments(ToolArguments):
    """What is to be worked out."""

    expression: str = Field(
        min_length=1,
        max_length=EXPRESSION_LIMIT,
        description=(
            "Arithmetic, for example `12 * (3 + 4)`, `15% of 80`, `sqrt(2) ^ 3`."
            " `log` is to base 10, `ln` natural; angles are in radians."
        ),
    )


@tool(
    name="calculate",
    description="Works out an arithmetic expression. Use it for every calculation.",
    effect=Effect.READ,
    roles={USER},
    deadline_seconds=2.0,
    circuit=None,
)
async def calculate(arguments: CalculateArguments, context: ToolContext) -> str:
    """Return the expression with its value, as in `12 * (3 + 4) = 84`."""
    return f"{arguments.expression.strip()} = {_written(evaluate(arguments.expression))}"


def evaluate(expression: str) -> Number:
    """Return the value of an expression as people write it (see `in_python`).

    Raises `Repairable` where it is no such expression and `ToolError` where it has no value, with
    a sentence that says what is wrong with it.
    """
    try:
        tree = ast.parse(in_python(expression), mode="eval").body
        return _real(_evaluator().eval(expression, previously_parsed=tree))
    except ZeroDivisionError:
        raise ToolError("That divides by zero.") from None
    except OverflowError:
        raise ToolError("The result is too large to work out.") from None
    except (InvalidExpression, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        known = ", ".join(sorted(_FUNCTIONS))
        raise Repairable(
            f"That cannot be worked out. Numbers, + - * / // % ^, brackets and {known} are known."
        ) from None
    except ValueError:
        raise ToolError("That has no real number as its result.") from None


def _real(value: object) -> Number:
    if not isinstance(value, int | float):
        raise ValueError
    if not math.isfinite(value):
        raise OverflowError
    return value


def _written(value: Number) -> str:
    """Return a number without the noise of binary fractions (0.1 + 0.2 is 0.3)."""
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
        _refuse_over(_BITS, base.bit_length() * exponent)
    power: Number = base**exponent
    return power


def _product(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        _refuse_over(_BITS, left.bit_length() + right.bit_length())
    return left * right


def _factorial(value: int) -> int:
    _refuse_over(_FACTORIAL_LIMIT, value)
    return math.factorial(value)


def _rounded(value: Number, places: int = 0) -> Number:
    _refuse_over(_PLACES_LIMIT, abs(places))
    return round(value, places) if places else round(value)


def _refuse_over(limit: int, value: int) -> None:
    if value > limit:
        raise OverflowError


def _number(node: ast.Constant) -> Number:
    # Text and bytes could be multiplied into any size, and are no arithmetic.
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise TypeError
    return node.value


_OPERATORS: dict[type[ast.AST], Callable[..., Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _product,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "factorial": _factorial,
    "floor": math.floor,
    "ln": math.log,
    "log": math.log10,
    "log2": math.log2,
    "max": max,
    "min": min,
    "round": _rounded,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_NAMES = {"pi": math.pi, "e": math.e}


def _evaluator() -> SimpleEval:
    """Return an evaluator that knows arithmetic and nothing else: no text, names, attributes."""
    evaluator = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=_NAMES)
    allowed = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name)
    evaluator.nodes = {node: evaluator.nodes[node] for node in allowed}
    evaluator.nodes[ast.Constant] = _number
    return evaluator
