import pytest

from app.agents.overlap import shares
from app.agents.terms import is_gram, terms_of, weight_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Regulations", "regulation"),
        ("Café", "cafe"),
        ("Straße", "STRASSE"),
        ("переводчик", "переводы"),
        ("الكتاب", "كتاب"),
        ("ｆｕｌｌ", "full"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert terms_of(one) == terms_of(other)


def test_scripts_without_spaces_become_overlapping_characters() -> None:
    assert terms_of("人工智能 AI") == ["人工", "工智", "智能", "ai"]
    assert terms_of("กรุงเทพ")[:2] == ["กรุ", "รุง"]


def test_numbers_stay_whole() -> None:
    assert terms_of("In 123456789") == ["in", "123456789"]


def test_short_words_say_little_and_numbers_and_characters_do_not_count_as_short() -> None:
    assert weight_of("of") < weight_of("plan") < weight_of("house")
    assert weight_of("7") == weight_of("人工") == 1.0
    assert is_gram("人工")
    assert not is_gram("house")


def test_a_share_is_the_weight_that_a_candidate_holds() -> None:
    wanted = terms_of("panthers defense points")
    whole, part, none = shares(
        wanted, [terms_of("points of the Panthers' defense"), terms_of("a point"), terms_of("")]
    )
    assert whole == pytest.approx(1.0)
    assert 0 < part < 1
    assert none == 0


def test_a_rare_term_weighs_more_than_a_common_one() -> None:
    candidates = [terms_of("house"), terms_of("house"), terms_of("garden")]
    house, _, garden = shares(terms_of("house garden"), candidates)
    assert garden > house


def test_nothing_wanted_is_held_by_nobody() -> None:
    assert shares([], [["a"], []]) == [0.0, 0.0]
