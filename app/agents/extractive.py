"""The writer that is used without a language model: it quotes, and says that it only quotes."""

import asyncio
import re
from collections.abc import Sequence

from app.agents.answers import answer_to_state
from app.agents.library import Library
from app.agents.names import RETRIEVAL, WRITER
from app.agents.ranking import Quote, best_quotes
from app.agents.reading.small_talk import is_small_talk
from app.agents.routing import search_query, wishes_of
from app.agents.sources import load_sources
from app.agents.turn import ToolResult, TurnFacts, TurnState
from core.runs import Answer

_NOTICE = """\
*No language model is configured, so this is all I can do: quote your documents, calculate and \
tell the time. For written answers set `OPENAI_API_KEY` (or `OPENAI_BASE_URL`) and `MODEL` in \
`.env`, or start Ollama, then start this server again.*"""

_HELLO = "Hello. Ask me about your documents, and I will quote what they say."
_NO_DOCUMENTS = """\
There is no document to look in yet. Upload one (PDF, Word, Markdown, HTML or plain text) with the \
upload button, or with `POST /api/v1/documents`, and ask again."""
_NOTHING_FOUND = "I found nothing in your documents that answers this."
_NEEDS_A_MODEL = "This is a task for a language model."

_PIECE = re.compile(r"\s*\S{1,24}\s?")
_LEADING_MARKS = re.compile(r"^(?:[#>*+|-]+\s+)+")


class ExtractiveWriter:
    """Quotes the sentences that fit the question best; never passed off as a language model."""

    name = WRITER

    def __init__(self, library: Library, passage_token_budget: int) -> None:
        self._library = library
        self._token_budget = passage_token_budget

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return an answer made of quotations and tool results; see `Agent`."""
        refs = state.get("passages", [])
        sources = await load_sources(self._library, facts, refs, self._token_budget)
        query = search_query(facts.question, facts.history)
        # Off the loop: milliseconds as a rule, a good part of a second at the largest budget.
        quotes = await asyncio.to_thread(best_quotes, query, sources)
        text = compose(facts.question, quotes, state)
        message = facts.sink.open_message(facts.answer_id)
        for piece in _PIECE.findall(text):
            message.text(piece)
            await asyncio.sleep(0)  # Other runs on this loop speak in between.
        citations = [quote.source.cite(n, quote.span) for n, quote in enumerate(quotes, start=1)]
        if citations:
            message.cite(citations)
        message.close()
        return {"answer": answer_to_state(Answer(facts.answer_id, text, tuple(citations)))}


def compose(question: str, quotes: Sequence[Quote], state: TurnState) -> str:
    """Return the answer's text: tool results, numbered quotations, and what this writer is."""
    results = state.get("tool_results", [])
    parts = [_result(result) for result in results]
    if quotes:
        parts.append("Your documents say:")
        parts += [f"> {_in_one_line(quote.text)} [{n}]" for n, quote in enumerate(quotes, start=1)]
    elif RETRIEVAL in state.get("plan", []):
        parts.append(_NOTHING_FOUND)
    elif not results:
        parts.append(_without_search(question))
    return "\n\n".join([*parts, _NOTICE])


def _without_search(question: str) -> str:
    if is_small_talk(question):
        return _HELLO
    # The coordinator would have had the documents searched, had there been any.
    return _NO_DOCUMENTS if wishes_of(question).documents else _NEEDS_A_MODEL


def _result(result: ToolResult) -> str:
    return f"{result['tool']}: {result['text']}" if result["error"] else result["text"]


def _in_one_line(quote: str) -> str:
    return _LEADING_MARKS.sub("", " ".join(quote.split()))
