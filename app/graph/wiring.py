"""Draws the graph: which agent follows which."""

from collections.abc import Mapping
from typing import Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from app.agents.names import COORDINATOR, TOOLS, WRITER
from app.agents.retelling import retell
from app.agents.turn import Agent, TurnFacts, TurnState
from core.failpoints import reach

Wired = StateGraph[TurnState, TurnFacts, TurnState, TurnState]


class Node(Protocol):
    """A step of the graph, as LangGraph calls it."""

    async def __call__(self, state: TurnState, *, runtime: Runtime[TurnFacts]) -> TurnState:
        """Return the channels that change."""
        ...


def wire(agents: Mapping[str, Agent]) -> Wired:
    """Return the graph: the coordinator plans, those it names work side by side, the writer ends.

    Every agent that is neither coordinator nor writer can be planned. Where the writer decides on
    tool calls, the tools make them in a step of their own, and the writer has its turn again. A
    turn that waits for the person ends, and begins with the tools when it is continued. Raises
    `KeyError` where coordinator or writer is missing.
    """
    graph: Wired = StateGraph(TurnState, context_schema=TurnFacts)
    planned = [name for name in agents if name not in (COORDINATOR, WRITER)]
    graph.add_node(COORDINATOR, _node(agents[COORDINATOR]))
    graph.add_node(WRITER, _node(agents[WRITER], is_last=True))
    graph.add_conditional_edges(START, _first, [COORDINATOR, *_tools_of(planned), END])
    graph.add_conditional_edges(COORDINATOR, _next, [*planned, WRITER])
    for name in planned:
        graph.add_node(name, _node(agents[name]))
        graph.add_edge(name, WRITER)
    graph.add_conditional_edges(WRITER, _after_writer, [*_tools_of(planned), END])
    return graph


def _tools_of(planned: list[str]) -> list[str]:
    return [name for name in planned if name == TOOLS]


def _first(state: TurnState) -> str:
    if state.get("awaiting"):
        return TOOLS
    # Another run may have used the answers that this one was to bring.
    return END if "answered_in" in state else COORDINATOR


def _next(state: TurnState) -> list[str]:
    return state.get("plan") or [WRITER]


def _after_writer(state: TurnState) -> str:
    has_calls = state.get("tool_calls") and not state.get("awaiting") and "answer" not in state
    return TOOLS if has_calls else END


def _node(agent: Agent, *, is_last: bool = False) -> Node:
    async def act(state: TurnState, *, runtime: Runtime[TurnFacts]) -> TurnState:
        facts = runtime.context
        if is_last:
            if state.get("awaiting"):
                # The person has the word: nothing is written before the calls are made or not.
                return {}
            retell(facts, state)
        facts.sink.step_started(agent.name)
        update = await agent.act(facts, state)
        if "answer" in update:
            update["answered_in"] = facts.run_id
        # Not in a `finally`: the transcriber closes the steps of a turn that failed.
        facts.sink.step_finished(agent.name)
        reach("after_step")
        return update

    return act
