"""The agent that finds the passages that fit the question."""

from app.agents.library import Library
from app.agents.names import RETRIEVAL
from app.agents.routing import search_query
from app.agents.turn import PassageRef, TurnFacts, TurnState
from core.documents import FoundPassage


class Retrieval:
    """Searches the turn's collection."""

    name = RETRIEVAL

    def __init__(self, library: Library, passage_limit: int) -> None:
        self._library = library
        self._limit = passage_limit

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return references to the passages found, the best first; see `Agent`."""
        query = search_query(facts.question, facts.history)
        found = await self._library.search(facts.principal, facts.collection, query, self._limit)
        facts.passages.update((item.passage.id, item.passage) for item in found)
        return {"passages": [_ref(passage) for passage in found], "is_tainted": bool(found)}


def _ref(found: FoundPassage) -> PassageRef:
    return PassageRef(
        passage_id=found.passage.id,
        score=found.score,
        focus_start=found.focus_start,
        focus_end=found.focus_end,
    )
