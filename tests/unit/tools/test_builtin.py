"""The tools for a person's notes and documents."""

import json
from dataclasses import replace

from pydantic import JsonValue

from app.tools.builtin.list_notes import list_notes
from app.tools.builtin.save_note import save_note
from app.tools.builtin.search_knowledge import search_knowledge
from app.tools.services import ToolServices
from core.documents import FoundPassage, Passage
from core.errors import NotFound
from core.ids import DocumentId, PassageId, PrincipalId
from core.principal import LOCAL, Principal
from core.tools import JsonPart, Outcome
from tests.support.tool_house import StoppedClock, call, tool_house


async def test_a_note_is_kept_and_read_again() -> None:
    house = await tool_house(save_note, list_notes)

    saved = await house.answer(call("save_note", 1, '{"text": "Buy milk."}'))
    await house.answer(call("save_note", 2, '{"text": "Call Ada."}'))
    listed = await house.answer(call("list_notes", 3))

    assert saved.text == "Noted: Buy milk."
    assert listed.text == "- 2026-11-21: Call Ada.\n- 2026-11-21: Buy milk."


async def test_notes_are_each_persons_own() -> None:
    house = await tool_house(save_note, list_notes)
    await house.answer(call("save_note", 1, '{"text": "Buy milk."}'))

    other = replace(LOCAL, id=PrincipalId("other"))

    listed = await house.answer(call("list_notes", 2), principal=other)
    assert listed.text == "There are no notes yet."


async def test_a_note_that_is_saved_by_two_attempts_is_one_note() -> None:
    house = await tool_house(save_note, list_notes)
    save = call("save_note", 1, '{"text": "Buy milk."}')
    await house.answer(save)
    # As after a crash between the effect and its record.
    house.ledger.calls.clear()
    await house.crash()
    await house.answer(save)

    listed = await house.answer(call("list_notes", 2))
    assert listed.text == "- 2026-11-21: Buy milk."


class OnePassage:
    """See `Search`. It finds what it is asked for once, in one collection."""

    async def search(
        self, principal: Principal, collection_name: str, query: str, limit: int
    ) -> list[FoundPassage]:
        """See `Search`."""
        if collection_name != "default":
            raise NotFound("There is no such collection.")
        if query == "nothing":
            return []
        passage = Passage(
            id=PassageId("p"),
            document_id=DocumentId("d"),
            document_name="Terms.pdf",
            collection="default",
            ordinal=0,
            page=3,
            start=0,
            end=len(query),
            text=query,
        )
        return [FoundPassage(passage, 0.9, 0, 1)] * limit


SERVICES = ToolServices(StoppedClock(), search=OnePassage())


async def test_passages_come_with_their_document_page_and_words() -> None:
    house = await tool_house(search_knowledge, services=SERVICES)
    arguments = json.dumps({"query": "Refunds take 5 days.", "limit": 1})

    answered = await house.answer(call("search_knowledge", 1, arguments))

    passage: JsonValue = {"document": "Terms.pdf", "page": 3, "quote": "Refunds take 5 days."}
    assert answered.parts == (JsonPart([passage]),)
    assert json.loads(answered.text) == [passage]
    assert answered.is_outside


async def test_a_search_without_a_find_says_so() -> None:
    house = await tool_house(search_knowledge, services=SERVICES)

    answered = await house.answer(call("search_knowledge", 1, '{"query": "nothing"}'))

    assert answered.text == "Nothing in the documents fits that."


async def test_a_search_in_a_collection_that_is_not_there_is_an_answer() -> None:
    house = await tool_house(search_knowledge, services=SERVICES)

    search = call("search_knowledge", 1, '{"query": "x"}')
    answered = await house.answer(search, collection="gone")

    assert (answered.outcome, answered.text) == (Outcome.FAILED, "There is no such collection.")
