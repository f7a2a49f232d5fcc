from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.builtin.calculate import EXPRESSION_LIMIT, calculate, evaluate
from app.tools.calls import Answered
from app.tools.tool import ToolFailure
from core.tools import Outcome
from tests.support.tool_house import call, tool_house


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12*(3+4)", 84),
        ("15% of 80", 12),
        ("20% off 50", 40),
        ("50 * 10%", 5),
        ("10 % 3", 1),
        ("1,000 * 2", 2000),
        ("3,5 * 2", 7),
        ("max(1,200)", 200),
        ("2^10", 1024),
        ("2² + 3³", 31),
        ("7 x 7", 49),
        ("6 ÷ 4 − 1", 0.5),
        ("√16 + sqrt(9)", 7),
        ("5!", 120),
        ("007 + 1", 8),
        ("$59.99 * 3 =", 179.97),
        ("round(2.567, 2)", 2.57),
        ("-3 + +4", 1),
        ("cos(0) + pi - π", 1),
        ("1e3 / 4", 250),
    ],
)
def test_arithmetic_is_worked_out_as_people_write_it(expression: str, value: float) -> None:
    assert evaluate(expression) == pytest.approx(value)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1/0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("sqrt(-1)", "no real number"),
        ("(-8) ^ 0.5", "no real number"),
        ("log(0)", "no real number"),
        ("9**9**9**9", "too large"),
        ("2 ^ 100000", "too large"),
        ("1" + "0" * 190 + " ^ 9", "too large"),
        ("600!", "too large"),
        ("exp(1000)", "too large"),
        ("1e308 * 10", "too large"),
        ("round(5, -1000000000)", "too large"),
        ("2 +", "cannot be worked out"),
        ("hello", "cannot be worked out"),
        ("max()", "cannot be worked out"),
        ("'a' * 9", "cannot be worked out"),
        ("[1] * 9", "cannot be worked out"),
        ("1j", "cannot be worked out"),
        ("(1).real", "cannot be worked out"),
        ("__import__('os')", "cannot be worked out"),
        ("1 if 2 else 3", "cannot be worked out"),
        ("lambda: 1", "cannot be worked out"),
        ("min(*max)", "cannot be worked out"),
        ("1; 2", "cannot be worked out"),
        ("x := 3", "cannot be worked out"),
        ("", "cannot be worked out"),
    ],
)
def test_what_cannot_be_worked_out_is_refused_in_words(expression: str, reason: str) -> None:
    with pytest.raises(ToolFailure, match=reason):
        evaluate(expression)


@pytest.mark.parametrize("expression", ["-" * 199 + "1", "(" * 99 + "1" + ")" * 99, "9" * 200])
def test_the_longest_expressions_are_worked_out(expression: str) -> None:
    assert isinstance(evaluate(expression), int)


@given(st.text("0123456789+-*/%^!()., eExpisqrtmaxroundfactorial√²", max_size=60))
def test_no_expression_does_anything_but_give_a_number_or_a_reason(expression: str) -> None:
    with suppress(ToolFailure):
        assert isinstance(evaluate(expression), int | float)


async def answer(expression: str) -> Answered:
    house = await tool_house(calculate)
    return await house.answer(call("calculate", 1, f'{{"expression": "{expression}"}}'))


async def test_the_answer_shows_expression_and_value_without_binary_noise() -> None:
    answered = await answer(" 0.1+0.2 ")
    assert (answered.text, answered.outcome) == ("0.1+0.2 = 0.3", Outcome.DONE)


async def test_a_large_whole_number_is_exact() -> None:
    assert (await answer("2^200")).text.endswith(str(2**200))


async def test_an_expression_over_the_limit_is_refused_before_it_is_read() -> None:
    answered = await answer("1+" * EXPRESSION_LIMIT + "1")
    assert answered.outcome is Outcome.INVALID
    assert "at most 200" in answered.text


async def test_what_is_no_arithmetic_may_be_put_otherwise_and_what_has_no_value_not() -> None:
    assert (await answer("hello")).outcome is Outcome.INVALID
    assert (await answer("1/0")).outcome is Outcome.FAILED
