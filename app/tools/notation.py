"""Turns arithmetic as people write it into Python's notation."""

import ast
import re

# The look-behind keeps long rows of digits from being tried at every one of them.
_NUMBER = r"(?<![\d.])\d+(?:\.\d+)?"

_REWRITES = (
    (re.compile(r"(?<![\d.])0+(?=\d)"), ""),
    (re.compile(r"[$€£¥฿]|\s*=?\s*\??\s*$"), ""),
    (re.compile(r"[×·]|(?<=[\d)])\s*[xX]\s*(?=[\d(])"), "*"),
    (re.compile(r"÷"), "/"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\^"), "**"),
    (re.compile(r"²"), "**2"),
    (re.compile(r"³"), "**3"),
    (re.compile(r"π"), "pi"),
    (re.compile(rf"√\s*({_NUMBER})"), r"sqrt(\1)"),
    (re.compile(r"√"), "sqrt"),
    (re.compile(r"(?<!\d)(\d+)!"), r"factorial(\1)"),
    # A percentage where no number follows: `5 % 3` stays the remainder.
    (re.compile(rf"({_NUMBER})\s*%\s*off\s+({_NUMBER})"), r"(\2*(1-\1/100))"),
    (re.compile(rf"({_NUMBER})\s*%\s*of\b"), r"\1/100*"),
    (re.compile(rf"({_NUMBER})\s*%(?!\s*[\w(.])"), r"(\1/100)"),
)

_GROUPED = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_HAS_ARGUMENTS = re.compile(r"[a-z]\s*\([^()]*,", re.IGNORECASE)

_NUMBERS = re.compile(r"\d[\d.,]*")
_HAS_FUNCTION = re.compile(r"[a-z]\s*\(|[√!²³π]", re.IGNORECASE)

_TOKENS = re.compile(
    r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])|[A-Za-z]\w*|[-+*/%(),\s])+"
)


def in_python(expression: str) -> str:
    """Return arithmetic in Python's notation.

    Known besides: `× ÷ − ^ ² ³ √ π !`, `15% of 80`, `20% off 50`, `10%`, currency signs, `1,000`,
    `3,5` and a closing `=`. Raises `SyntaxError` where something else than numbers, names and
    operators is in it, so that no text, attribute or keyword of Python is ever parsed.
    """
    # In `max(1,200)` the comma separates, in `1,200` it groups, in `3,5` it is the decimal mark.
    if not _HAS_ARGUMENTS.search(expression):
        expression = _GROUPED.sub(lambda number: number.group().replace(",", ""), expression)
        expression = _DECIMAL_COMMA.sub(".", expression)
    for pattern, replacement in _REWRITES:
        expression = pattern.sub(replacement, expression)
    if not _TOKENS.fullmatch(expression):
        raise SyntaxError
    return expression.strip()


def is_calculation(text: str) -> bool:
    """Whether `text` is an expression with something to work out in it, not a mere number."""
    if len(_NUMBERS.findall(text)) < 2 and not _HAS_FUNCTION.search(text):
        return False
    try:
        tree = ast.parse(in_python(text), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        return False
    return isinstance(tree, ast.BinOp | ast.Call)
