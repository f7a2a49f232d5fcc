"""Draws the graph: which agent follows which."""

from collections.abc import Mapping
from typing import Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from app.agents.names import COORDINATOR, WRITER
from app.agents.turn import Agent, TurnFacts, TurnState
from core.failpoints import reach
from core.ports.run_sink import RunSink

Wired = StateGraph[TurnState, TurnFacts, TurnState, TurnState]


class Node(Protocol):
    """A step of the graph, as LangGraph calls it."""

    async def __call__(self, state: TurnState, *, runtime: Runtime[TurnFacts]) -> TurnState:
        """Return the channels that change."""
        ...


def wire(agents: Mapping[str, Agent]) -> Wired:
    """Return the graph: the coordinator plans, those it names work side by side, the writer ends.

    Every agent that is neither coordinator nor writer can be planned. Raises `KeyError` where
    one of those two is missing.
    """
    graph: Wired = StateGraph(TurnState, context_schema=TurnFacts)
    planned = [name for name in agents if name not in (COORDINATOR, WRITER)]
    graph.add_node(COORDINATOR, _node(agents[COORDINATOR]))
    graph.add_node(WRITER, _node(agents[WRITER], retells_tools=True))
    graph.add_edge(START, COORDINATOR)
    graph.add_conditional_edges(COORDINATOR, _next, [*planned, WRITER])
    for name in planned:
        graph.add_node(name, _node(agents[name]))
        graph.add_edge(name, WRITER)
    graph.add_edge(WRITER, END)
    return graph


def _next(state: TurnState) -> list[str]:
    return state.get("plan") or [WRITER]


def _node(agent: Agent, *, retells_tools: bool = False) -> Node:
    async def act(state: TurnState, *, runtime: Runtime[TurnFacts]) -> TurnState:
        facts = runtime.context
        if retells_tools:
            _retell_tools(facts.sink, state)
        facts.sink.step_started(agent.name)
        update = await agent.act(facts, state)
        # Not in a `finally`: the transcriber closes the steps of a turn that failed.
        facts.sink.step_finished(agent.name)
        reach("after_step")
        return update

    return act


def _retell_tools(sink: RunSink, state: TurnState) -> None:
    """Tell the calls that an attempt before this one made; those just made are told already."""
    for result in state.get("tool_results", []):
        sink.tool_called(result["call_id"], result["tool"], result["arguments"])
        sink.tool_answered(result["call_id"], result["text"])
