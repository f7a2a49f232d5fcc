"""The agent that writes the answer with a language model."""

import asyncio

from app.agents.answers import answer_to_state
from app.agents.library import Library
from app.agents.names import RETRIEVAL, WRITER
from app.agents.prompt import build_prompt
from app.agents.quoting import cite
from app.agents.sources import load_sources
from app.agents.turn import TurnFacts, TurnState
from core.errors import ModelUnavailable
from core.ports.chat_model import ChatModel
from core.runs import Answer


class Writer:
    """Streams a model's reply past the graph: its tokens go straight into the run's sink."""

    name = WRITER

    def __init__(self, library: Library, model: ChatModel, passage_token_budget: int) -> None:
        self._library = library
        self._model = model
        self._token_budget = passage_token_budget

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return the answer with what it really cites; see `Agent`.

        Raises what `ChatModel.stream` raises, and `ModelUnavailable` for an empty reply. The
        message is closed only when it is whole: one left open is its sink's to close.
        """
        refs = state.get("passages", [])
        sources = await load_sources(self._library, facts, refs, self._token_budget)
        prompt = build_prompt(
            facts.question,
            facts.history,
            sources,
            state.get("tool_results", []),
            searched=RETRIEVAL in state.get("plan", []),
        )
        message = facts.sink.open_message(facts.answer_id)
        reply = await self._model.stream(prompt, message)
        if not reply.text.strip():
            raise ModelUnavailable("The model gave an empty answer. Try again.")
        # Off the loop: a long answer over a large budget takes a good part of a second.
        citations = await asyncio.to_thread(cite, reply.text, sources) if sources else []
        if citations:
            message.cite(citations)
        message.close()
        usage = () if reply.usage is None else (reply.usage,)
        answer = Answer(facts.answer_id, reply.text, tuple(citations), usage)
        return {"answer": answer_to_state(answer)}
