"""Runs one turn through the graph: coordinator, the agents it asks for, writer."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Self, cast

from app.agents.turn import Agent, AnswerState, TurnFacts, TurnState
from app.graph.checkpoints import Checkpoints, Fenced, OpenCheckpoints
from app.graph.step_border import StepBorder
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


class RunLost(Exception):
    """Another attempt has the run, or its end was told: this one is to say and write no more."""


class StoppedAtBorder(Exception):
    """The run stopped between two steps because it was asked to; whoever goes on repeats none."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a graph is once it is open."""

    graph: "Compiled"
    checkpoints: Checkpoints


class TurnGraph:
    """The compiled graph, shared by all runs. Leaving it closes the checkpoints.

    It opens with the first turn, or with `warm`: LangGraph takes a second to import, which a
    server that starts does not wait for.
    """

    def __init__(self, agents: Mapping[str, Agent], checkpoints: OpenCheckpoints) -> None:
        self._agents = agents
        self._checkpoints = checkpoints
        self._resources = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._opened: Opened | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    async def warm(self) -> None:
        """Open it before the first turn needs it."""
        await self._open()

    async def run(self, facts: TurnFacts, fence: int, border: StepBorder) -> Answer:
        """Return the answer of a turn.

        The same call starts a run and goes on with one that lost its node: a thread belongs to
        one run, and the run id in the metadata makes LangGraph continue from the last checkpoint.

        fence: of this attempt, see `Run.fence`.
        border: where this attempt can be asked to stop.
        Raises `RunLost`, `StoppedAtBorder`, `AppError`, and whatever a faulty agent raises.
        """
        opened = self._opened or await self._open()
        # Deferred: see the class; LangGraph is here by now.
        from langgraph.errors import GraphDrained

        try:
            state = await opened.graph.ainvoke(
                cast(TurnState, {"plan": []}),
                _config(facts.run_id, opened.checkpoints.saver(facts.run_id, fence)),
                context=facts,
                durability="sync",
                control=border.control(),
            )
        except Fenced:
            raise RunLost from None
        except GraphDrained:
            raise StoppedAtBorder from None
        answer = state.get("answer")
        if answer is None:
            raise Internal("The writer gave no answer.")
        return answer_of(answer)

    async def forget(self, run_ids: Sequence[RunId]) -> None:
        """Delete the checkpoints of these runs, which have ended. Many at once cost least."""
        opened = self._opened or await self._open()
        await opened.checkpoints.forget(run_ids)

    async def _open(self) -> Opened:
        async with self._opening:
            if self._opened is None:
                # In a thread, so that sockets that are open already are served meanwhile.
                wiring = await asyncio.to_thread(import_module, "app.graph.wiring")
                checkpoints = await self._resources.enter_async_context(self._checkpoints())
                self._opened = Opened(wiring.wire(self._agents).compile(), checkpoints)
            return self._opened


def _config(run_id: RunId, saver: "BaseCheckpointSaver[str]") -> "RunnableConfig":
    return {
        # The key by which LangGraph itself lends a saver: the graph is compiled without one.
        "configurable": {"thread_id": run_id, "__pregel_checkpointer": saver},
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
