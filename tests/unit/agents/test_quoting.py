from hypothesis import given
from hypothesis import strategies as st

from app.agents.quoting import QuotableSource, cite, without_markers
from tests.unit.agents.fakes import found, source

PANTHERS = (
    "The Panthers defense gave up just 308 points, ranking sixth in the league. "
    "Kawann Short led the team in sacks with 11. "
    "Luke Kuechly led all tacklers with 118."
)
PARIS = "Paris is the capital of France. About two million people live there."
WORDS = st.lists(
    st.sampled_from(["alpha", "beta.", "gamma!", "\n\n", "1.5", "中文。", "ไทย", "Dr.", "- x"]),
    max_size=40,
).map(" ".join)


def quotes(answer: str, *texts: str) -> dict[int, str]:
    sources = [source(text, number) for number, text in enumerate(texts, start=1)]
    return {citation.number: citation.quote for citation in cite(answer, sources)}


def test_a_citation_quotes_the_sentence_that_bears_the_statement_out() -> None:
    answer = "Short was first in sacks [1]. The capital is Paris [2]."
    assert quotes(answer, PANTHERS, PARIS) == {
        1: "Kawann Short led the team in sacks with 11.",
        2: "Paris is the capital of France.",
    }


def test_only_numbers_that_are_used_and_there_are_cited() -> None:
    assert list(quotes("France has a capital [2]. So what [7], [0].", PANTHERS, PARIS)) == [2]
    assert quotes("No source at all.", PANTHERS) == {}
    assert quotes("Something [1].") == {}


def test_every_way_to_write_numbers_is_understood() -> None:
    for answer in (
        "Facts [1][2].",
        "Facts [1, 2].",
        "Facts [2; 1]",
        "事实【1】，事实【2】。",
        "Facts. [1] [2]",
    ):
        assert list(quotes(answer, PANTHERS, PARIS)) == [1, 2], answer


def test_a_number_behind_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    answer = "Kuechly led the tacklers. [1] Paris is large. [2]"
    assert quotes(answer, PANTHERS, PARIS)[1] == "Luke Kuechly led all tacklers with 118."


def test_numbers_in_a_row_belong_to_the_same_sentence() -> None:
    answer = "Kuechly led the tacklers. [1] [2]"
    assert quotes(answer, PARIS, PANTHERS)[2] == "Luke Kuechly led all tacklers with 118."


def test_a_number_used_twice_quotes_the_statement_it_fits_best() -> None:
    answer = "It is well known [1]. Luke Kuechly led all tacklers with 118 [1]."
    assert quotes(answer, PANTHERS) == {1: "Luke Kuechly led all tacklers with 118."}


def test_a_statement_that_rests_on_two_sentences_quotes_both() -> None:
    answer = "Kawann Short led in sacks with 11, Luke Kuechly led all tacklers with 118 [1]."
    assert quotes(answer, PANTHERS)[1].startswith("Kawann")
    assert quotes(answer, PANTHERS)[1].endswith("118.")


def test_an_index_in_code_is_no_citation() -> None:
    assert quotes("Use `rows[1]`.\n```\nx[1] = 2\n```\nDone [2].", PANTHERS, PARIS).keys() == {2}


def test_an_answer_in_another_language_quotes_what_the_search_found() -> None:
    item = found(PANTHERS)
    focus = PANTHERS.index("Luke")
    focused = type(item)(item.passage, 1.0, focus, len(PANTHERS))
    statement = "ผู้เล่นที่ดีที่สุด"
    fit, quote = QuotableSource(type(source(""))(1, focused)).quote_for(statement)
    assert fit == 0
    assert quote.of(PANTHERS) == "Luke Kuechly led all tacklers with 118."


def test_offsets_are_those_of_the_document() -> None:
    document = f"Preface. {PARIS} Epilogue."
    start = document.index(PARIS)
    (citation,) = cite("Two million live there [1].", [source(PARIS, start=start)])
    assert document[citation.start : citation.end] == citation.quote
    assert citation.quote == "About two million people live there."


def test_markers_can_be_taken_out() -> None:
    assert without_markers("One [1]. Two [2, 3].") == "One . Two ."


@given(WORDS, WORDS, st.integers(0, 1000))
def test_a_quote_always_stands_where_it_says(answer: str, text: str, start: int) -> None:
    cited = source(f"{text} end", start=start)
    for citation in cite(f"{answer} so [1]. {answer} [1, 2] [3]", [cited]):
        assert citation.quote
        inside = slice(citation.start - start, citation.end - start)
        assert cited.text[inside] == citation.quote


@given(st.text(max_size=300), st.text(min_size=1, max_size=300))
def test_any_text_can_be_cited_from(answer: str, text: str) -> None:
    for citation in cite(f"{answer}[1]", [source(text)]):
        assert citation.quote in text
