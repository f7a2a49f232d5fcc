from collections.abc import Sequence

import pytest

from app.agents.turn import TurnState
from app.agents.writer import Writer
from core.errors import ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink
from core.runs import Usage
from tests.support.recording_sink import RecordingSink
from tests.unit.agents.fakes import FakeLibrary, facts, found, refs

PARIS = found("Paris is the capital of France.", "1")
ROME = found("Rome is the capital of Italy.", "2")
USAGE = Usage("test", "model-1", 10, 5, None)


class Model:
    """See `ChatModel`. It says the given pieces."""

    name = "model-1"

    def __init__(self, *pieces: str, usage: Usage | None = USAGE) -> None:
        self.prompt: list[PromptMessage] = []
        self._pieces = pieces
        self._usage = usage

    async def stream(self, prompt: Sequence[PromptMessage], sink: ReplySink) -> ModelReply:
        self.prompt = list(prompt)
        sink.reasoning("Let me see.")
        for piece in self._pieces:
            sink.text(piece)
        return ModelReply("".join(self._pieces), "stop", self._usage)

    async def close(self) -> None: ...


async def write(model: Model, sink: RecordingSink, state: TurnState) -> TurnState:
    writer = Writer(FakeLibrary([PARIS, ROME]), model, passage_token_budget=1000)
    return await writer.act(facts("What is the capital of Italy?", sink), state)


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
