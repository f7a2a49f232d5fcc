from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.agents.spending import Prices
from app.agents.turn import Allowance, DecisionState, ToolCall, ToolResult, TurnState
from app.agents.writer import Writer
from core.budgets import Budget, Spent
from core.errors import ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer, WantedCall
from core.principal import Principal
from core.runs import Usage
from tests.support.recording_sink import RecordingSink
from tests.unit.agents.fakes import FakeLibrary, facts, found, refs

PARIS = found("Paris is the capital of France.", "1")
ROME = found("Rome is the capital of Italy.", "2")
USAGE = Usage("test", "model-1", 10, 5, None)


class Model:
    """See `ChatModel`. It says the given pieces, and asks for the given calls."""

    name = "model-1"

    def __init__(
        self, *pieces: str, usage: Usage | None = USAGE, calls: tuple[WantedCall, ...] = ()
    ) -> None:
        self.prompt: list[PromptMessage] = []
        self.offered: list[str] = []
        self._pieces = pieces
        self._usage = usage
        self._calls = calls

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        self.prompt = list(prompt)
        self.offered = [offer.name for offer in tools]
        sink.reasoning("Let me see.")
        for piece in self._pieces:
            sink.text(piece)
        return ModelReply("".join(self._pieces), "stop", self._usage, self._calls)

    async def close(self) -> None: ...


class Offers:
    """See `Toolbox`."""

    def offers(self, principal: Principal, agent: str) -> Sequence[ToolOffer]:
        return [ToolOffer("look", "Looks.", {"type": "object"})]


async def write(
    model: Model, sink: RecordingSink, state: TurnState, allowances: tuple[Allowance, ...] = ()
) -> TurnState:
    writer = Writer(
        FakeLibrary([PARIS, ROME]), model, 1000, Offers(), rounds=2, prices=Prices(1.0, 2.0)
    )
    known = replace(facts("What is the capital of Italy?", sink), allowances=allowances)
    return await writer.act(known, state)


async def test_the_models_pieces_reach_the_sink_as_they_come() -> None:
    sink = RecordingSink()
    await write(Model("It ", "is ", "Rome."), sink, {})
    assert sink.message.id == "answer"
    assert sink.message.pieces == ["It ", "is ", "Rome."]
    assert sink.message.thoughts == ["Let me see."]
    assert sink.said == ["opened", "closed"]


async def test_only_what_the_answer_used_is_cited_with_words_that_are_there() -> None:
    sink = RecordingSink()
    state = await write(
        Model("The capital ", "is Rome [2], [5]."),
        sink,
        {"plan": ["retrieval"], "passages": refs(PARIS, ROME)},
    )
    (citation,) = sink.message.citations
    assert (citation.number, citation.document_id) == (2, "d2")
    assert citation.quote == "Rome is the capital of Italy."
    assert sink.said == ["opened", "cited", "closed"]
    assert state["answer"]["citations"][0]["quote"] == citation.quote
    assert state["answer"]["text"] == "The capital is Rome [2], [5]."
    assert state["answer"]["message_id"] == "answer"


async def test_the_usage_is_kept_where_the_provider_says_it() -> None:
    with_usage = await write(Model("Rome."), RecordingSink(), {})
    assert with_usage["answer"]["usage"] == [
        {
            "provider": "test",
            "model": "model-1",
            "input_tokens": 10,
            "output_tokens": 5,
            "reasoning_tokens": None,
        }
    ]
    without = await write(Model("Rome.", usage=None), RecordingSink(), {})
    assert without["answer"]["usage"] == []


async def test_an_empty_answer_is_an_error_and_leaves_the_message_open() -> None:
    sink = RecordingSink()
    with pytest.raises(ModelUnavailable):
        await write(Model(" ", "\n"), sink, {})
    assert not sink.message.is_closed


async def test_the_prompt_holds_passages_results_and_question() -> None:
    model = Model("Rome.")
    result = {"call_id": "c", "tool": "calculate", "arguments": "{}", "text": "1+1 = 2"}
    state: TurnState = {
        "plan": ["retrieval", "tools"],
        "passages": refs(ROME),
        "tool_results": [{**result, "error": False}],  # type: ignore[typeddict-item]
    }
    await write(model, RecordingSink(), state)
    asked = model.prompt[-1].content
    assert "Rome is the capital of Italy." in asked
    assert "1+1 = 2" in asked
    assert asked.endswith("What is the capital of Italy?")


async def test_a_search_without_a_find_is_told_to_the_model() -> None:
    model = Model("I do not know.")
    await write(model, RecordingSink(), {"plan": ["retrieval"], "passages": []})
    assert "nothing was found" in model.prompt[0].content


LOOK = WantedCall("call_1", "look", '{"at": "Rome"}')
USAGE_STATE = {
    "provider": "test",
    "model": "model-1",
    "input_tokens": 10,
    "output_tokens": 5,
    "reasoning_tokens": None,
}


def decided(number: int, text: str = "") -> DecisionState:
    call = ToolCall(call_id=f"run-tool-{number}-1", tool="look", arguments="{}")
    return DecisionState(run_id="run", text=text, calls=[call], usage=[])


def looked(number: int) -> ToolResult:
    return ToolResult(
        call_id=f"run-tool-{number}-1", tool="look", arguments="{}", text="Seen.", error=False
    )


async def test_a_model_that_asks_for_tools_decides_and_does_not_answer() -> None:
    sink = RecordingSink()
    model = Model("Let me look.", calls=(LOOK, LOOK))
    state = await write(model, sink, {})
    (decision,) = state["decisions"]
    assert decision["text"] == "Let me look."
    assert decision["usage"] == [USAGE_STATE]
    assert [call["call_id"] for call in decision["calls"]] == ["run-tool-1-1", "run-tool-1-2"]
    assert state["tool_calls"] == decision["calls"]
    assert state["tool_calls"][0]["arguments"] == LOOK.arguments
    assert "answer" not in state
    assert model.offered == ["look"]
    assert not sink.message.is_closed


async def test_the_answer_after_a_decision_goes_on_in_the_same_message() -> None:
    sink = RecordingSink()
    sink.open_message(facts("?").answer_id).text("Let me look.")
    state = await write(
        Model("It is Rome."),
        sink,
        {"decisions": [decided(1, "Let me look.")], "tool_results": [looked(1)]},
    )
    assert sink.message.said == state["answer"]["text"] == "Let me look.\n\nIt is Rome."
    assert sink.message.is_closed


async def test_what_every_decision_took_is_part_of_the_answers_usage() -> None:
    before = decided(1)
    before["usage"].append(USAGE_STATE)  # type: ignore[arg-type]
    state = await write(Model("Rome."), RecordingSink(), {"decisions": [before]})
    assert state["answer"]["usage"] == [USAGE_STATE, USAGE_STATE]


async def test_after_the_last_round_no_tool_is_offered() -> None:
    model = Model("Rome.", calls=(LOOK,))
    state = await write(model, RecordingSink(), {"decisions": [decided(1), decided(2)]})
    assert model.offered == []
    assert state["answer"]["text"] == "Rome."


@pytest.mark.parametrize("whose", ["run", "user", "tenant"])
async def test_a_used_up_budget_ends_the_turn_with_what_is_there_and_says_so(whose: str) -> None:
    model, sink = Model("Probably Rome."), RecordingSink()
    allowance = Allowance(whose, Budget(tool_calls=3), Spent(tool_calls=1))
    spent = {"run": {"tool_calls": 2, "model_calls": 1, "tokens": 9, "money": 0.0, "seconds": 0.0}}
    state = await write(model, sink, {"spent": spent}, (allowance,))  # type: ignore[typeddict-item]
    assert model.offered == []
    assert "the budget of tool calls for" in model.prompt[0].content
    assert state["answer"]["text"].startswith("Probably Rome.\n\n*This answer had to end here:")
    assert sink.message.said == state["answer"]["text"]
    assert sink.notices == [("budget.exhausted", {"whose": whose, "what": "tool_calls"})]


async def test_what_a_call_of_the_model_took_is_counted_with_its_price() -> None:
    state = await write(Model("Rome."), RecordingSink(), {})
    assert state["spent"] == {
        "run": {
            "tool_calls": 0,
            "model_calls": 1,
            "tokens": 15,
            "money": pytest.approx((10 * 1.0 + 5 * 2.0) / 1_000_000),
            "seconds": 0.0,
        }
    }
