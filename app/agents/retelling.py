"""Tells again what earlier attempts at a run have done, where this attempt has not told it."""

from app.agents.turn import DecisionState, TurnFacts, TurnState


def retell(facts: TurnFacts, state: TurnState) -> None:
    """Tell the calls and words that the steps before have left; what is told already stays so.

    Words of an earlier run that this one continues are in its own message: they are not said
    again. Its calls are, and the sink knows which of them it has in a message already.
    """
    said = said_before(facts, state)
    if said:
        message = facts.sink.open_message(facts.answer_id)
        if not message.said:
            message.text(said)
    retell_calls(facts, state)


def retell_calls(facts: TurnFacts, state: TurnState) -> None:
    """Tell the calls that were made, and those that wait for the person."""
    for result in state.get("tool_results", []):
        facts.sink.tool_called(result["call_id"], result["tool"], result["arguments"])
        facts.sink.tool_answered(result["call_id"], result["text"])
    for call in state.get("tool_calls", []):
        facts.sink.tool_called(call["call_id"], call["tool"], call["arguments"])


def said_before(facts: TurnFacts, state: TurnState) -> str:
    """Return what the model said in this run beside its decisions: how the answer begins."""
    decisions: list[DecisionState] = state.get("decisions", [])
    texts = (one["text"] for one in decisions if one["run_id"] == facts.run_id)
    return "\n\n".join(text for text in texts if text)
