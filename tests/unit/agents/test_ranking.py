from hypothesis import given
from hypothesis import strategies as st

from app.agents.ranking import QUOTE_LIMIT, best_quotes
from app.agents.sources import Source
from core.documents import FoundPassage
from tests.unit.agents.fakes import passage, source

WARRANTY = (
    "Acme sells pumps and valves. The warranty for pumps lasts 24 months from delivery. "
    "Valves have none. Please keep the invoice."
)
OFFICES = "Acme has offices in Berlin and Porto. The Berlin office opened in 1998."


def quotes(question: str, *sources: Source) -> list[str]:
    return [quote.text for quote in best_quotes(question, sources)]


def test_the_sentence_with_the_questions_words_comes_first() -> None:
    found = quotes(
        "How long does the warranty for pumps last?", source(OFFICES), source(WARRANTY, 2)
    )
    assert found[0] == "The warranty for pumps lasts 24 months from delivery."


def test_nothing_is_quoted_where_nothing_fits() -> None:
    assert quotes("Who composed the opera Carmen?", source(WARRANTY), source(OFFICES, 2)) == []
    assert quotes("Anything?") == []


def test_one_sentence_is_enough_of_a_document() -> None:
    assert quotes("When did the office open?", source("The Berlin office opened in 1998."))


def test_chinese_and_thai_are_found_without_spaces() -> None:
    chinese = source("北京是中国的首都。上海是最大的城市。")
    assert quotes("中国的首都是哪里？", chinese)[0] == "北京是中国的首都。"
    thai = source("การรับประกันปั๊มนานสองปี\n\nสำนักงานใหญ่อยู่ที่กรุงเทพ")
    assert quotes("สำนักงานใหญ่อยู่ที่ไหน", thai)[0] == "สำนักงานใหญ่อยู่ที่กรุงเทพ"


def test_the_searchs_opinion_decides_between_equals() -> None:
    text = "The pump costs 40 euros{}."
    first = source(text.format(" in spring"), 1, score=0.2)
    second = source(text.format(" in autumn"), 2, score=0.9)
    assert quotes("What does the pump cost?", first, second)[0].endswith("autumn.")


def test_where_the_search_found_it_decides_within_a_passage() -> None:
    text = "The pump is blue here. Nobody knows why. The pump is blue there."
    focus = text.index("The pump is blue there")
    item = FoundPassage(passage(text), 1.0, focus, len(text))
    assert best_quotes("Is the pump blue?", [Source(1, item)])[0].text.endswith("there.")


def test_a_copy_says_nothing_new() -> None:
    assert len(quotes("Berlin office opened when?", source(OFFICES), source(OFFICES, 2))) < 3
    assert (
        quotes("Berlin office opened?", source(OFFICES), source(OFFICES, 2)).count(
            "The Berlin office opened in 1998."
        )
        == 1
    )


def test_there_are_never_more_than_a_few() -> None:
    many = [source(f"Pump number {n} has colour {n * 17}.", n) for n in range(1, 20)]
    assert len(quotes("What colour has the pump?", *many)) == QUOTE_LIMIT


def test_an_overview_quotes_how_the_passages_begin() -> None:
    sources = source(f"# About us\n\n{WARRANTY}"), source(OFFICES, 2)
    found = quotes("What is this document about?", *sources)
    assert found == ["Acme sells pumps and valves.", "Acme has offices in Berlin and Porto."]


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=200), max_size=4))
def test_a_quote_is_a_stretch_of_its_source(question: str, texts: list[str]) -> None:
    sources = [source(text, number) for number, text in enumerate(texts, start=1)]
    for quote in best_quotes(question, sources):
        assert quote.text
        assert quote.source.text[quote.span.start : quote.span.end] == quote.text
