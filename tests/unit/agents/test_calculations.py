import pytest

from app.agents.reading.calculations import find_calculations


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        ("what is 12*(3+4)?", ["12*(3+4)"]),
        ("calculate 15% of 80", ["15% of 80"]),
        ("12*7", ["12*7"]),
        ("How much is 1,299 * 3?", ["1,299 * 3"]),
        ("What is the multiplication of 3 and 2", ["3 * 2"]),
        ("what's the square root of 144?", ["sqrt(144)"]),
        ("what is 2 to the power of 10", ["2 ^ 10"]),
        ("subtract 5 from 36", ["36 - 5"]),
        ("what is 30% off 235, please", ["30% off 235"]),
        ("what is 8 factorial", ["factorial(8)"]),
        ("Calculate 3*4 and 5*6", ["3*4", "5*6"]),
        ("Was ist 12 mal 7?", ["12 * 7"]),
        ("combien font 3 fois 4 ?", ["3 * 4"]),
        ("¿Cuánto es 12 por 3?", ["12 * 3"]),
        ("сколько будет 2 плюс 2", ["2 + 2"]),
        ("12乘以7等于多少？", ["12 * 7"]),
        ("คำนวณ 5 คูณ 6", ["5 * 6"]),
        ("5+6เท่ากับเท่าไหร่", ["5+6"]),
    ],
)
def test_a_calculation_that_is_asked_for_is_found(text: str, expressions: list[str]) -> None:
    assert find_calculations(text)[0] == expressions


@pytest.mark.parametrize(
    "text",
    [
        "What is 24/7 support?",
        "What happened in 2019-2020?",
        "10/12/2024",
        "What is COVID-19?",
        "What is article 12-3 about?",
        "What does section 4.2 - 4.5 say?",
        "What is the 80/20 rule?",
        "Call 555-123-4567",
        "3 apples plus 4 pears",
        "What is 5?",
        "How does SARS-CoV-2 spread?",
        "What is the sum of the parts?",
    ],
)
def test_figures_that_only_stand_in_a_text_are_left_alone(text: str) -> None:
    assert find_calculations(text) == ([], text)


def test_the_rest_of_the_text_is_kept() -> None:
    _, rest = find_calculations("What is 15% of 80 and what does the report say about margins?")
    assert "what does the report say about margins?" in rest
    assert "80" not in rest


@pytest.mark.parametrize("unit", ["1", "1 ", "1+", "(", "1,", "1% ", "- ", "what is 1"])
def test_long_rows_of_figures_are_read_too(unit: str) -> None:
    assert isinstance(find_calculations(unit * (400 // len(unit)))[0], list)
