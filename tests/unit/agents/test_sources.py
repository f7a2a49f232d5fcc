from dataclasses import replace

from app.agents.sentences import Span
from app.agents.sources import load_sources
from tests.unit.agents.fakes import FakeLibrary, facts, found, refs, source


async def test_sources_are_numbered_in_the_order_of_the_references() -> None:
    one, two = found("First text.", "1"), found("Second text.", "2")
    sources = await load_sources(FakeLibrary([one, two]), facts("Why?"), refs(two, one), 1000)
    assert [(s.number, s.text) for s in sources] == [(1, "Second text."), (2, "First text.")]


async def test_a_passage_that_was_deleted_meanwhile_is_left_out() -> None:
    gone, there = found("Gone.", "1"), found("There.", "2")
    sources = await load_sources(FakeLibrary([there]), facts("Why?"), refs(gone, there), 1000)
    assert [(s.number, s.text) for s in sources] == [(1, "There.")]


async def test_nothing_found_is_no_source() -> None:
    assert await load_sources(FakeLibrary(), facts("Why?"), [], 1000) == []


async def test_what_the_search_has_read_is_not_read_again() -> None:
    one, two = found("First text.", "1"), found("Second text.", "2")
    turn = facts("Why?")
    turn.passages[one.passage.id] = one.passage
    library = FakeLibrary([two])
    sources = await load_sources(library, turn, refs(one, two), 1000)
    assert [source.text for source in sources] == ["First text.", "Second text."]
    assert library.looked_up == [[two.passage.id]]
    await load_sources(library, turn, refs(one), 1000)
    assert len(library.looked_up) == 1


async def test_a_passage_over_the_budget_is_cut_around_its_focus_and_still_cited_exactly() -> None:
    document = "Filler words here. " * 100 + "The answer is 42. " + "More filler words. " * 100
    focus = document.index("The answer")
    item = replace(found(document, start=500), focus_start=focus, focus_end=focus + 17)
    (cut,) = await load_sources(FakeLibrary([item]), facts("Why?"), refs(item), 100)
    assert len(cut.text) <= 400
    assert "The answer is 42." in cut.text
    start = cut.text.index("The answer")
    citation = cut.cite(1, Span(start, start + 17))
    assert citation.quote == "The answer is 42."
    assert document[citation.start - 500 : citation.end - 500] == "The answer is 42."


def test_a_citation_names_document_passage_and_page() -> None:
    plain = source("Some text.")
    paged = replace(plain, found=replace(plain.found, passage=replace(plain.passage, page=3)))
    citation = paged.cite(4, Span(0, 4))
    assert (citation.number, citation.document_id, citation.passage_id) == (4, "d1", "p1")
    assert (citation.document_name, citation.page, citation.quote) == ("1.pdf", 3, "Some")
