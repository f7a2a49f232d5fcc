"""The agent that writes the answer with a language model, or decides which tools it needs first."""

import asyncio
from collections.abc import Sequence

from app.agents.answers import answer_to_state, usage_to_state
from app.agents.budget_words import LAST_ROUND, notice_of, wrap_up_rule
from app.agents.continued_reply import ContinuedReply
from app.agents.library import Library
from app.agents.names import RETRIEVAL, WRITER
from app.agents.prompt import build_prompt
from app.agents.quoting import cite
from app.agents.sources import Source, load_sources
from app.agents.spending import Prices, begin_step, by_run, used_up
from app.agents.toolbox import Toolbox
from app.agents.turn import DecisionState, ToolCall, TurnFacts, TurnState
from core.budgets import Exhausted
from core.errors import ModelUnavailable
from core.events import BUDGET_EXHAUSTED
from core.ports.chat_model import ChatModel, ModelReply, ToolOffer
from core.runs import Answer, Usage


class Writer:
    """Streams a model's reply past the graph: its tokens go straight into the run's sink.

    tools: what the model may ask for.
    rounds: how often it may ask before it has to answer.
    """

    name = WRITER

    def __init__(
        self,
        library: Library,
        model: ChatModel,
        passage_token_budget: int,
        tools: Toolbox,
        *,
        rounds: int,
        prices: Prices,
    ) -> None:
        self._library = library
        self._model = model
        self._token_budget = passage_token_budget
        self._tools = tools
        self._rounds = rounds
        self._prices = prices

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return the answer with what it really cites, or the calls to be made first; see `Agent`.

        Raises what `ChatModel.stream` raises, and `ModelUnavailable` for an empty reply. The
        message is closed only when it is whole: one left open is its sink's to close.
        """
        refs = state.get("passages", [])
        sources = await load_sources(self._library, facts, refs, self._token_budget)
        begin_step(facts, state)
        limit = used_up(facts, state)
        reply = await self._reply(facts, state, sources, limit)
        spent = by_run(facts, self._prices.of(reply.usage))
        if reply.calls and self._may_call(state, limit):
            return {**_decision(facts, state, reply), "spent": spent}
        answer = await self._answer(facts, state, reply, sources, limit)
        return {"answer": answer_to_state(answer), "tool_calls": [], "spent": spent}

    async def _reply(
        self,
        facts: TurnFacts,
        state: TurnState,
        sources: Sequence[Source],
        limit: Exhausted | None,
    ) -> ModelReply:
        if limit is not None:
            facts.sink.notice(BUDGET_EXHAUSTED, {"whose": limit.whose, "what": limit.what})
        prompt = build_prompt(
            facts.question,
            facts.history,
            sources,
            state.get("tool_results", []),
            searched=RETRIEVAL in state.get("plan", []),
            decisions=state.get("decisions", []),
            wrap_up=self._wrap_up(state, limit),
        )
        message = facts.sink.open_message(facts.answer_id)
        sink = ContinuedReply(message) if message.said else message
        offers = self._offers(facts) if self._may_call(state, limit) else ()
        return await self._model.stream(prompt, sink, offers)

    def _wrap_up(self, state: TurnState, limit: Exhausted | None) -> str:
        if limit is not None:
            return wrap_up_rule(limit)
        has_asked = bool(state.get("decisions"))
        return "" if self._may_call(state, limit) or not has_asked else LAST_ROUND

    def _may_call(self, state: TurnState, limit: Exhausted | None) -> bool:
        return limit is None and len(state.get("decisions", [])) < self._rounds

    def _offers(self, facts: TurnFacts) -> Sequence[ToolOffer]:
        return self._tools.offers(facts.principal, WRITER)

    async def _answer(
        self,
        facts: TurnFacts,
        state: TurnState,
        reply: ModelReply,
        sources: Sequence[Source],
        limit: Exhausted | None,
    ) -> Answer:
        if not reply.text.strip():
            raise ModelUnavailable("The model gave an empty answer. Try again.")
        message = facts.sink.open_message(facts.answer_id)
        if limit is not None:
            message.text(f"{ContinuedReply.SEPARATOR}{notice_of(limit)}")
        text = message.said
        # Off the loop: a long answer over a large budget takes a good part of a second.
        citations = await asyncio.to_thread(cite, text, sources) if sources else []
        if citations:
            message.cite(citations)
        message.close()
        return Answer(facts.answer_id, text, tuple(citations), _usage(facts, state, reply))


def _decision(facts: TurnFacts, state: TurnState, reply: ModelReply) -> TurnState:
    """Number the calls within the turn, whatever the model calls them: its names may come again."""
    number = len(state.get("decisions", [])) + 1
    calls = [
        ToolCall(
            call_id=f"{facts.root_id}-tool-{number}-{place}",
            tool=call.name,
            arguments=call.arguments,
        )
        for place, call in enumerate(reply.calls, start=1)
    ]
    usage = [] if reply.usage is None else [usage_to_state(reply.usage)]
    decision = DecisionState(run_id=facts.run_id, text=reply.text, calls=calls, usage=usage)
    return {"decisions": [decision], "tool_calls": calls}


def _usage(facts: TurnFacts, state: TurnState, reply: ModelReply) -> tuple[Usage, ...]:
    """Return what each of the run's model calls took, where the provider says so."""
    decisions = (one for one in state.get("decisions", []) if one["run_id"] == facts.run_id)
    before = tuple(Usage(**usage) for one in decisions for usage in one["usage"])
    return before if reply.usage is None else (*before, reply.usage)
