import pytest

from app.tools.notation import is_calculation


@pytest.mark.parametrize("text", ["1+1", "15% of 80", "sqrt(4)", "5!", "3²", "2 x 3", "(1+2)*3"])
def test_something_to_work_out_is_a_calculation(text: str) -> None:
    assert is_calculation(text)


@pytest.mark.parametrize(
    "text", ["5", "-5", "15%", "1 2", "1+", "pi", "1.2.3", "a+b", "x=1+2", "f"]
)
def test_a_mere_number_is_none(text: str) -> None:
    assert not is_calculation(text)
