from app.agents.extractive import ExtractiveWriter
from app.agents.turn import ToolResult, TurnState
from core.conversations import Role
from core.documents import FoundPassage
from tests.support.recording_sink import RecordingSink
from tests.unit.agents.fakes import FakeLibrary, facts, found, refs, said

WARRANTY = found("# Terms\n\nThe warranty lasts\n24 months. Keep the invoice.", "1", start=100)
SEARCHED: TurnState = {"plan": ["retrieval"], "passages": refs(WARRANTY)}
NOTICE = "No language model is configured"


async def answer(
    question: str, state: TurnState, *items: FoundPassage, sink: RecordingSink | None = None
) -> str:
    writer = ExtractiveWriter(FakeLibrary(items or [WARRANTY]), passage_token_budget=1000)
    update = await writer.act(facts(question, sink), state)
    return update["answer"]["text"]


def result(text: str, *, error: bool = False) -> ToolResult:
    return ToolResult(call_id="c", tool="calculate", arguments="{}", text=text, error=error)


async def test_the_best_sentence_is_quoted_and_cited_where_it_stands() -> None:
    sink = RecordingSink()
    text = await answer("How long does the warranty last?", SEARCHED, sink=sink)
    assert "> The warranty lasts 24 months. [1]" in text
    citation = sink.message.citations[0]
    assert (citation.number, citation.quote) == (1, "The warranty lasts\n24 months.")
    assert citation.start == 100 + WARRANTY.passage.text.index("The warranty")
    assert sink.said == ["opened", "cited", "closed"]


async def test_it_streams_like_any_other_writer() -> None:
    sink = RecordingSink()
    text = await answer("How long does the warranty last?", SEARCHED, sink=sink)
    assert sink.message.whole == text
    assert len(sink.message.pieces) > 20
    assert max(map(len, sink.message.pieces)) < 40


async def test_it_says_once_that_no_model_is_configured_and_how_to_set_one() -> None:
    text = await answer("How long does the warranty last?", SEARCHED)
    assert text.count(NOTICE) == 1
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL", ".env", "Ollama"):
        assert name in text


async def test_where_nothing_fits_it_says_so() -> None:
    sink = RecordingSink()
    text = await answer("Who composed Carmen?", SEARCHED, sink=sink)
    assert "I found nothing in your documents" in text
    assert ">" not in text
    assert sink.message.citations == ()


async def test_without_documents_it_says_how_to_upload_one() -> None:
    text = await answer("How long does the warranty last?", {"plan": []})
    assert "Upload one" in text
    assert text.count(NOTICE) == 1


async def test_small_talk_is_answered_without_pretending() -> None:
    text = await answer("Hello!", {"plan": []})
    assert "Upload" not in text
    assert NOTICE in text


async def test_a_task_for_a_model_is_called_one() -> None:
    assert "task for a language model" in await answer("Write a poem about rain", {"plan": []})


async def test_tool_results_are_told_with_their_failures() -> None:
    state: TurnState = {
        "plan": ["tools"],
        "tool_results": [result("6*7 = 42"), result("That divides by zero.", error=True)],
    }
    text = await answer("What is 6*7, and 1/0?", state)
    assert text.startswith("6*7 = 42\n\ncalculate: That divides by zero.")
    assert "Upload" not in text


async def test_results_and_quotations_stand_together() -> None:
    state: TurnState = {
        "plan": ["retrieval", "tools"],
        "passages": refs(WARRANTY),
        "tool_results": [result("6*7 = 42")],
    }
    text = await answer("What is 6*7 and how long does the warranty last?", state)
    assert "6*7 = 42" in text
    assert "The warranty lasts 24 months. [1]" in text


async def test_a_follow_up_is_answered_in_the_light_of_the_question_before() -> None:
    history = [said(Role.USER, "Tell me about the warranty"), said(Role.ASSISTANT, "Which part?")]
    writer = ExtractiveWriter(FakeLibrary([WARRANTY]), passage_token_budget=1000)
    update = await writer.act(facts("How long?", history=history), SEARCHED)
    assert "24 months" in update["answer"]["text"]


async def test_it_claims_no_tokens() -> None:
    writer = ExtractiveWriter(FakeLibrary([WARRANTY]), passage_token_budget=1000)
    update = await writer.act(facts("How long is the warranty?"), SEARCHED)
    assert update["answer"]["usage"] == []
