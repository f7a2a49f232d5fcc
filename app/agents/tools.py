"""The agent that makes the tool calls that were decided on, side by side."""

from collections.abc import Sequence

from app.agents.names import COORDINATOR, TOOLS, WRITER
from app.agents.spending import begin_step, budget_of_calls, by_run
from app.agents.turn import AskState, ToolCall, ToolResult, TurnFacts, TurnState
from app.tools.executor import Answered, Call, CallFacts, Executor
from core.budgets import Spent
from core.events import ASK_DECIDED, BREAKER_OPEN
from core.tools import Ask, Outcome


class Tools:
    """Has the calls made; one that fails is an answer too, and stops none of the others."""

    name = TOOLS

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def act(self, facts: TurnFacts, state: TurnState) -> TurnState:
        """Return the results in the order of the calls, and what the person is asked; see `Agent`.

        Calls that wait for the person stay to be made. Cancelling cancels every call. Raises
        `CallFenced` where another attempt has the run.
        """
        begin_step(facts, state)
        calls = state.get("tool_calls", [])
        agent = WRITER if _is_models(calls, state) else COORDINATOR
        for call in calls:
            facts.sink.tool_called(call["call_id"], call["tool"], call["arguments"])
        made = await self._executor.run(
            [Call(call["call_id"], call["tool"], call["arguments"], agent) for call in calls],
            _facts_of_calls(facts, state),
            lambda answered: _tell(facts, answered),
        )
        answered = [one for one in made if isinstance(one, Answered)]
        asks = [one for one in made if isinstance(one, Ask)]
        waiting = {ask.call_id for ask in asks}
        return {
            "tool_results": [_result(one) for one in answered],
            "tool_calls": [call for call in calls if call["call_id"] in waiting],
            "awaiting": [ask_state(ask) for ask in asks],
            "is_tainted": any(one.is_outside for one in answered),
            "spent": by_run(facts, _spent(answered)),
        }


def _is_models(calls: Sequence[ToolCall], state: TurnState) -> bool:
    ids = {call["call_id"] for decision in state.get("decisions", []) for call in decision["calls"]}
    return bool(calls) and calls[0]["call_id"] in ids


def _facts_of_calls(facts: TurnFacts, state: TurnState) -> CallFacts:
    return CallFacts(
        run_id=facts.run_id,
        root_id=facts.root_id,
        conversation_id=facts.conversation_id,
        fence=facts.fence,
        principal=facts.principal,
        collection=facts.collection,
        is_tainted=state.get("is_tainted", False),
        budget=budget_of_calls(facts, state),
    )


def _tell(facts: TurnFacts, answered: Answered) -> None:
    ask = answered.decided
    if ask is not None and ask.decision is not None:
        facts.sink.notice(
            ASK_DECIDED,
            {
                "interruptId": ask.id,
                "toolCallId": ask.call_id,
                "decision": ask.decision.value,
                "arguments": answered.call.arguments,
            },
        )
    facts.sink.tool_answered(answered.call.id, answered.text)
    if answered.outcome is Outcome.UNAVAILABLE and answered.circuit:
        facts.sink.notice(
            BREAKER_OPEN,
            {
                "name": answered.circuit,
                "toolCallId": answered.call.id,
                "retryAfterSeconds": round(answered.retry_after_seconds, 3),
            },
        )


def _result(answered: Answered) -> ToolResult:
    return ToolResult(
        call_id=answered.call.id,
        tool=answered.call.tool,
        arguments=answered.call.arguments,
        text=answered.text,
        error=answered.outcome is not Outcome.DONE,
    )


def _spent(answered: Sequence[Answered]) -> Spent:
    made = [one for one in answered if one.is_made]
    return Spent(tool_calls=len(made), money=sum(one.cost for one in made))


def ask_state(ask: Ask) -> AskState:
    """Return a question as plain JSON."""
    return AskState(
        id=ask.id,
        kind=ask.kind.value,
        call_id=ask.call_id,
        tool=ask.tool,
        arguments=ask.arguments,
        arguments_hash=ask.arguments_hash,
        effect=ask.effect.value,
        expires_at=ask.expires_at.isoformat(),
    )
