"""The agent that plans a turn: who works before the writer, and which tools are called."""

import json

from app.agents.library import Library
from app.agents.names import COORDINATOR, RETRIEVAL, TOOLS
from app.agents.reading.requests import Request
from app.agents.routing import wishes_of
from app.agents.turn import ToolCall, TurnFacts, TurnState
from core.ids import RunId


class Coordinator:
    """Plans by rules, because a model's opinion would cost the first token half a second."""

    name = COORDINATOR

    def __init__(self, library: Library) -> None:
        self._library = library

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return the plan and the tool calls; see `Agent`."""
        wishes = wishes_of(facts.question)
        plan = [TOOLS] if wishes.requests else []
        if wishes.documents and await self._has_documents(facts):
            plan.insert(0, RETRIEVAL)
        return {"plan": plan, "tool_calls": _calls(facts.run_id, wishes.requests)}

    async def _has_documents(self, facts: TurnFacts) -> bool:
        return await self._library.has_documents(facts.principal, facts.collection)


def _calls(run_id: RunId, requests: tuple[Request, ...]) -> list[ToolCall]:
    """Number the calls within the run, so that a repeated step makes the same ones."""
    return [
        ToolCall(
            call_id=f"{run_id}-tool-{number}",
            tool=request.tool,
            arguments=json.dumps(request.arguments, ensure_ascii=False),
        )
        for number, request in enumerate(requests, start=1)
    ]
