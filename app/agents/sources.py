"""The passages an answer may rest on: numbered, within a token budget, quotable."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.agents.library import Library
from app.agents.sentences import Span
from app.agents.turn import PassageRef, TurnFacts
from app.knowledge.budget import within_budget
from core.conversations import Citation
from core.documents import FoundPassage, Passage
from core.ids import PassageId


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, or the piece of it that fits the budget, as the writer sees it.

    number: from 1, in order of relevance.
    """

    number: int
    found: FoundPassage

    @property
    def passage(self) -> Passage:
        """The passage, or its piece."""
        return self.found.passage

    @property
    def text(self) -> str:
        """What the writer sees of it."""
        return self.found.passage.text

    @property
    def focus(self) -> Span:
        """The stretch of `text` that fits the question best."""
        return Span(self.found.focus_start, self.found.focus_end)

    def cite(self, number: int, quote: Span) -> Citation:
        """Return a citation of `quote`, a stretch of `text`."""
        passage = self.found.passage
        return Citation(
            number=number,
            document_id=passage.document_id,
            document_name=passage.document_name,
            passage_id=passage.id,
            page=passage.page,
            quote=quote.of(passage.text),
            start=passage.start + quote.start,
            end=passage.start + quote.end,
        )


async def load_sources(
    library: Library, facts: TurnFacts, refs: Sequence[PassageRef], token_budget: int
) -> list[Source]:
    """Return those of the found passages that fit; one deleted meanwhile may be left out."""
    there = facts.passages
    unread = [PassageId(ref["passage_id"]) for ref in refs if ref["passage_id"] not in there]
    if unread:
        there = there | await library.passages(facts.principal, unread)
    found = [
        FoundPassage(passage, ref["score"], ref["focus_start"], ref["focus_end"])
        for ref in refs
        if (passage := there.get(PassageId(ref["passage_id"]))) is not None
    ]
    fitting = within_budget(found, token_budget)
    return [Source(number, item) for number, item in enumerate(fitting, start=1)]
