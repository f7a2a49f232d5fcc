"""The agent that makes the tool calls of the plan, side by side."""

import asyncio
from collections.abc import Mapping

import structlog

from app.agents.names import TOOLS
from app.agents.turn import ToolCall, ToolResult, TurnFacts, TurnState
from app.tools.tool import Tool, ToolAnswer
from core.ports.run_sink import RunSink

log = structlog.get_logger(__name__)


class Tools:
    """Calls tools; a call that fails is an answer too, and stops none of the others."""

    name = TOOLS

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return the results in the order of the calls; see `Agent`.

        Cancelling cancels every call.
        """
        calls = state.get("tool_calls", [])
        for call in calls:
            facts.sink.tool_called(call["call_id"], call["tool"], call["arguments"])
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._result(facts.sink, call)) for call in calls]
        return {"tool_results": [task.result() for task in tasks]}

    async def _result(self, sink: RunSink, call: ToolCall) -> ToolResult:
        answer = await self._answer(call)
        sink.tool_answered(call["call_id"], answer.text)
        return ToolResult(
            call_id=call["call_id"],
            tool=call["tool"],
            arguments=call["arguments"],
            text=answer.text,
            error=answer.error,
        )

    async def _answer(self, call: ToolCall) -> ToolAnswer:
        tool = self._tools.get(call["tool"])
        if tool is None:
            known = ", ".join(self._tools)
            return ToolAnswer(f"There is no tool “{call['tool']}”, only: {known}.", error=True)
        try:
            async with asyncio.timeout(tool.deadline_seconds):
                return await tool.answer(call["arguments"])
        except TimeoutError:
            seconds = f"{tool.deadline_seconds:g}"
            return ToolAnswer(f"{tool.name} gave no answer within {seconds} seconds.", error=True)
        except Exception:
            # The border of the call's task: a bug in one tool is not the turn's end.
            log.exception("tool.failed", tool=tool.name)
            return ToolAnswer(f"{tool.name} failed through a fault of this server.", error=True)
