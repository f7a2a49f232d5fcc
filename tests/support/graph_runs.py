"""Runs of a small graph over real checkpoints, with agents that do what a test tells them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from app.agents.turn import TurnFacts, TurnState
from app.graph.checkpoints import Checkpoints
from app.graph.step_border import StepBorder
from app.graph.turn_graph import TurnEnd, TurnGraph
from core.ids import ConversationId, MessageId, RunId
from core.principal import LOCAL
from core.runs import Answer
from tests.support.recording_sink import RecordingSink

Act = Callable[[TurnFacts, TurnState], Awaitable[TurnState]]
RUN = RunId("run-1")


@dataclass
class CountedAgent:
    """An agent that does what it is told and counts how often. See `Agent`."""

    name: str
    do: Act
    calls: int = 0

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """See `Agent`."""
        self.calls += 1
        return await self.do(facts, state)


@dataclass
class GraphRuns:
    """One node's graph. agents: by name, `coordinator` and `writer` among them."""

    graph: TurnGraph
    agents: dict[str, CountedAgent]
    checkpoints: Checkpoints

    async def run(
        self,
        fence: int = 1,
        run_id: RunId = RUN,
        *,
        border: StepBorder | None = None,
        sink: RecordingSink | None = None,
    ) -> Answer:
        """Make one attempt at a run that ends with an answer."""
        answer = (await self.end(fence, run_id, border=border, sink=sink)).answer
        assert answer is not None
        return answer

    async def end(
        self,
        fence: int = 1,
        run_id: RunId = RUN,
        *,
        root_id: RunId | None = None,
        border: StepBorder | None = None,
        sink: RecordingSink | None = None,
    ) -> TurnEnd:
        """Make one attempt at a run. root_id: the run that it continues."""
        facts = facts_of(run_id, sink or RecordingSink(), fence, root_id)
        return await self.graph.run(facts, border or StepBorder())

    def calls(self) -> dict[str, int]:
        """Return how often each agent was asked."""
        return {name: agent.calls for name, agent in self.agents.items()}

    async def kept(self, run_id: RunId = RUN) -> TurnState:
        """Return the state of a run's newest checkpoint."""
        saver = self.checkpoints.saver(run_id, 0)
        found = await saver.aget_tuple({"configurable": {"thread_id": run_id}})
        values: TurnState = found.checkpoint["channel_values"] if found else {}  # type: ignore[assignment]
        return values

    async def until_result_kept(self, run_id: RunId = RUN) -> None:
        """Wait until an agent's tool result is on disk whose neighbour is still at work."""
        saver = self.checkpoints.saver(run_id, 0)
        async with asyncio.timeout(20):
            while True:
                found = await saver.aget_tuple({"configurable": {"thread_id": run_id}})
                writes = (found and found.pending_writes) or []
                if any(channel == "tool_results" for _, channel, _ in writes):
                    return


@asynccontextmanager
async def graph_runs(
    opened: AbstractAsyncContextManager[Checkpoints], **acts: Act
) -> AsyncIterator[GraphRuns]:
    """Give a graph with these agents beside a writer that joins all tool results, and checkpoints.

    Unless told, the coordinator plans every other agent.
    """
    planned = [name for name in acts if name not in ("coordinator", "writer")]
    known = {"coordinator": planning(*planned), "writer": join, **acts}
    agents = {name: CountedAgent(name, act) for name, act in known.items()}
    async with opened as checkpoints:

        @asynccontextmanager
        async def lent() -> AsyncIterator[Checkpoints]:
            yield checkpoints

        async with TurnGraph(agents, lent) as graph:
            await graph.warm()
            yield GraphRuns(graph, agents, checkpoints)


def facts_of(
    run_id: RunId, sink: RecordingSink, fence: int = 1, root_id: RunId | None = None
) -> TurnFacts:
    """Return the facts of a run."""
    return TurnFacts(
        run_id=run_id,
        conversation_id=ConversationId("c"),
        principal=LOCAL,
        question="What is it?",
        history=(),
        collection="default",
        answer_id=MessageId("answer"),
        sink=sink,
        root_id=root_id or run_id,
        fence=fence,
    )


def planning(*names: str) -> Act:
    """Return a coordinator that plans these."""

    async def plan(facts: TurnFacts, state: TurnState) -> TurnState:
        return {"plan": list(names)}

    return plan


def finding(text: str) -> Act:
    """Return an agent that has a tool result at once."""

    async def find(facts: TurnFacts, state: TurnState) -> TurnState:
        return found(text)

    return find


def found(text: str) -> TurnState:
    """Return a tool result."""
    result = {"call_id": text, "tool": "look", "arguments": "{}", "text": text, "error": False}
    return {"tool_results": [result]}  # type: ignore[list-item]


async def join(facts: TurnFacts, state: TurnState) -> TurnState:
    """Answer with all tool results."""
    text = " ".join(sorted(result["text"] for result in state.get("tool_results", [])))
    return {"answer": {"message_id": facts.answer_id, "text": text, "citations": [], "usage": []}}


async def endless(facts: TurnFacts, state: TurnState) -> TurnState:
    """Work until the process dies."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
