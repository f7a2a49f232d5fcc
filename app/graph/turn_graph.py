"""Runs one turn through the graph: coordinator, the agents it asks for, writer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from app.agents.turn import Agent, AnswerState, TurnFacts, TurnState
from core.conversations import Citation
from core.errors import Internal
from core.ids import DocumentId, MessageId, PassageId, RunId
from core.runs import Answer, Usage

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

    Compiled = CompiledStateGraph[TurnState, TurnFacts, TurnState, TurnState]

# coordinator, side-by-side agents, writer; the rest is room for agents that hand on.
RECURSION_LIMIT = 12


class TurnGraph:
    """The compiled graph, shared by all runs."""

    def __init__(
        self, agents: Mapping[str, Agent], checkpointer: "BaseCheckpointSaver[str]"
    ) -> None:
        # LangGraph takes half a second to import: it waits until the graph is made.
        from app.graph.wiring import wire

        self._checkpointer = checkpointer
        self._compiled: Compiled = wire(agents).compile(checkpointer=checkpointer)

    async def run(self, facts: TurnFacts) -> Answer:
        """Return the answer of a turn.

        The same call starts a run and goes on with one that lost its node: a thread belongs to
        one run, and the run id in the metadata makes LangGraph continue from the last checkpoint.
        Raises `AppError`, and whatever a faulty agent raises.
        """
        state = await self._compiled.ainvoke(
            cast(TurnState, {"plan": []}),
            _config(facts.run_id),
            context=facts,
            durability="sync",
        )
        answer = state.get("answer")
        if answer is None:
            raise Internal("The writer gave no answer.")
        return answer_of(answer)

    async def forget(self, run_ids: Sequence[RunId]) -> None:
        """Delete the checkpoints of these runs."""
        for run_id in run_ids:
            await self._checkpointer.adelete_thread(run_id)


def _config(run_id: RunId) -> "RunnableConfig":
    return {
        "configurable": {"thread_id": run_id},
        "metadata": {"run_id": run_id},
        "recursion_limit": RECURSION_LIMIT,
    }


def answer_of(state: AnswerState) -> Answer:
    """Return the answer that a checkpoint keeps."""
    return Answer(
        message_id=MessageId(state["message_id"]),
        text=state["text"],
        citations=tuple(
            Citation(
                number=citation["number"],
                document_id=DocumentId(citation["document_id"]),
                document_name=citation["document_name"],
                passage_id=PassageId(citation["passage_id"]),
                page=citation["page"],
                quote=citation["quote"],
                start=citation["start"],
                end=citation["end"],
            )
            for citation in state["citations"]
        ),
        usage=tuple(Usage(**usage) for usage in state["usage"]),
    )
