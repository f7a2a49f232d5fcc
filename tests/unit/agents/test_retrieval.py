import pytest

from app.agents.retrieval import Retrieval
from core.conversations import Role
from core.errors import NotFound
from tests.unit.agents.fakes import FakeLibrary, facts, found, refs, said


async def test_the_state_gets_references_and_no_text() -> None:
    items = [found("One.", "1", score=0.9), found("Two.", "2", score=0.4)]
    state = await Retrieval(FakeLibrary(items), passage_limit=6).act(facts("Who?"), {})
    assert state == {"passages": refs(*items), "is_tainted": True}


async def test_what_was_found_is_kept_for_the_writer_of_this_turn() -> None:
    item = found("One.", "1")
    turn = facts("Who?")
    await Retrieval(FakeLibrary([item]), passage_limit=6).act(turn, {})
    assert turn.passages == {item.passage.id: item.passage}


async def test_no_more_than_the_limit_is_asked_for() -> None:
    library = FakeLibrary([found(str(n), str(n)) for n in range(9)])
    state = await Retrieval(library, passage_limit=2).act(facts("Who sings the anthem?"), {})
    assert len(state["passages"]) == 2
    assert library.queries == [("Who sings the anthem?", 2)]


async def test_a_follow_up_is_searched_with_the_question_before_it() -> None:
    library = FakeLibrary()
    history = [said(Role.USER, "Who was Otto?"), said(Role.ASSISTANT, "A king.")]
    await Retrieval(library, passage_limit=6).act(facts("And his son?", history=history), {})
    assert library.queries[0][0] == "Who was Otto?\nAnd his son?"


async def test_a_collection_that_does_not_exist_ends_the_turn() -> None:
    with pytest.raises(NotFound):
        await Retrieval(FakeLibrary(), 6).act(facts("Who?", collection="nowhere"), {})
