import json

import pytest

from app.agents.coordinator import Coordinator
from core.errors import NotFound
from tests.unit.agents.fakes import FakeLibrary, facts, found

SOME = [found("Text.")]


async def test_a_question_goes_by_way_of_retrieval() -> None:
    state = await Coordinator(FakeLibrary(SOME)).act(facts("Who wrote it?"), {})
    assert state == {"plan": ["retrieval"], "tool_calls": []}


async def test_without_documents_it_goes_straight_to_the_writer() -> None:
    state = await Coordinator(FakeLibrary()).act(facts("Who wrote it?"), {})
    assert state["plan"] == []


async def test_small_talk_does_not_even_look_for_documents() -> None:
    library = FakeLibrary(SOME)
    state = await Coordinator(library).act(facts("Hello!"), {})
    assert state["plan"] == []
    assert library.asked_for_documents == 0


async def test_both_work_side_by_side_where_both_are_asked_for() -> None:
    question = "What is 6*7, and what does the contract say about notice periods?"
    state = await Coordinator(FakeLibrary(SOME)).act(facts(question), {})
    assert state["plan"] == ["retrieval", "tools"]


async def test_a_repeated_step_makes_the_same_calls() -> None:
    coordinator = Coordinator(FakeLibrary(SOME))
    question = facts("Calculate 3*4 and 5*6")
    state = await coordinator.act(question, {})
    assert state == await coordinator.act(question, {})
    assert state["plan"] == ["tools"]
    first, second = state["tool_calls"]
    assert first["call_id"] != second["call_id"]
    assert json.loads(first["arguments"]) == {"expression": "3*4"}


async def test_a_collection_that_does_not_exist_ends_the_turn() -> None:
    with pytest.raises(NotFound):
        await Coordinator(FakeLibrary(SOME)).act(facts("Who?", collection="nowhere"), {})
