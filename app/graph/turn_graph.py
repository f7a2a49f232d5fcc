"""Runs one turn through the graph: coordinator, the agents it asks for, writer."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Self, cast

from app.agents.retelling import retell, retell_calls
from app.agents.spending import spent_by
from app.agents.turn import Agent, AnswerState, TurnFacts, TurnState
from app.graph.checkpoints import Checkpoints, Fenced, OpenCheckpoints
from app.graph.step_border import StepBorder
from core.budgets import NOTHING, Spent
from core.conversations import Citation
from core.errors import Internal
from core.ids import DocumentId, MessageId, PassageId, RunId
from core.ports.tool_ledger import CallFenced
from core.runs import Answer, Usage

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

    Compiled = CompiledStateGraph[TurnState, TurnFacts, TurnState, TurnState]

# coordinator, side-by-side agents, writer, and two steps for each round of tool calls; how many
# rounds a turn may take is the writer's to say, so this only ends what would never end.
RECURSION_LIMIT = 250


class RunLost(Exception):
    """Another attempt has the run, or its end was told: this one is to say and write no more."""


class StoppedAtBorder(Exception):
    """The run stopped between two steps because it was asked to; whoever goes on repeats none."""


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """What the graph leaves behind: an answer, or questions to the person that come first.

    Neither, where the run continued one that another run had brought to its end.

    usage: of the run's model calls, where it has no answer that says so.
    spent: by this run, in all of its attempts.
    """

    answer: Answer | None
    awaiting: tuple[str, ...] = ()
    usage: tuple[Usage, ...] = ()
    spent: Spent = NOTHING


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

    async def run(self, facts: TurnFacts, border: StepBorder) -> TurnEnd:
        """Return how a turn ends.

        The same call starts a run and goes on with one that lost its node: a thread belongs to
        one run and those that continue it with the person's answers, and the run id in the
        metadata tells LangGraph whether to continue from the last checkpoint or to begin anew in
        the state that the run before it left.

        border: where this attempt can be asked to stop.
        Raises `RunLost`, `StoppedAtBorder`, `AppError`, and whatever a faulty agent raises.
        """
        opened = self._opened or await self._open()
        # Deferred: see the class; LangGraph is here by now.
        from langgraph.errors import GraphDrained

        try:
            left = await opened.graph.ainvoke(
                {"run_id": facts.run_id},
                _config(facts, opened.checkpoints.saver(facts.run_id, facts.fence)),
                context=facts,
                durability="sync",
                control=border.control(),
            )
        except (Fenced, CallFenced):
            raise RunLost from None
        except GraphDrained:
            raise StoppedAtBorder from None
        state = cast(TurnState, left)
        # Where another attempt had done all of it, nothing of it is told yet.
        (retell if state.get("awaiting") else retell_calls)(facts, state)
        return _end_of(facts.run_id, state)

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


def _config(facts: TurnFacts, saver: "BaseCheckpointSaver[str]") -> "RunnableConfig":
    return {
        # The key by which LangGraph itself lends a saver: the graph is compiled without one.
        "configurable": {"thread_id": facts.root_id, "__pregel_checkpointer": saver},
        "metadata": {"run_id": facts.run_id},
        "recursion_limit": RECURSION_LIMIT,
    }


def _end_of(run_id: RunId, state: TurnState) -> TurnEnd:
    spent = spent_by(state, run_id)
    if awaiting := state.get("awaiting"):
        decisions = (one for one in state.get("decisions", []) if one["run_id"] == run_id)
        usage = tuple(Usage(**usage) for one in decisions for usage in one["usage"])
        return TurnEnd(None, tuple(ask["id"] for ask in awaiting), usage, spent)
    if state.get("answered_in", run_id) != run_id:
        return TurnEnd(None, spent=spent)
    answer = state.get("answer")
    if answer is None:
        raise Internal("The writer gave no answer.")
    return TurnEnd(answer_of(answer), spent=spent)


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
