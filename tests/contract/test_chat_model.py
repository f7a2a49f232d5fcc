"""What every `ChatModel` promises: the two real ones against a real server, and the fake."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import quote
from uuid import uuid4

import pytest

from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.endpoint import read_endpoint
from app.infra.llm.lenient_chat_model import LenientChatModel
from app.infra.llm.openai_chat_model import OpenAIChatModel
from app.infra.llm.retrying_chat_model import RetryingChatModel
from core.errors import DeadlineExceeded, ModelRefused, ModelUnavailable
from core.ports.chat_model import ChatModel, ModelReply, PromptMessage, ToolOffer
from tests.support.model_server import ModelServer, model_server_process
from tests.support.scripted_chat_model import ScriptedChatModel

GENEROUS = ModelDeadlines(connect=10, first_token=20, idle=20, total=60)
KINDS = ("fast", "langchain", "fake")
FORMS = ("pieces", "mixed", "whole", "together", "zero", "bare", "sameid", "newid", "objects")
TOOLS = [
    ToolOffer("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}}),
    ToolOffer("now", "Tells the time.", {"type": "object", "properties": {}}),
]
CALLS = [
    {"name": "add", "arguments": {"a": 1, "b": "Grüße"}},
    {"name": "now", "arguments": {}},
    {"name": "add", "arguments": {"a": [2]}},
]


class Notes:
    """A sink that writes down what it is given; `begun` is set with the first of it."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        self.begun = asyncio.Event()

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        self.pieces.append(("text", delta))
        self.begun.set()

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        self.pieces.append(("reasoning", delta))
        self.begun.set()

    def all(self, kind: str) -> str:
        """Return everything of one kind, joined."""
        return "".join(delta for each, delta in self.pieces if each == kind)


def fast_model(url: str, deadlines: ModelDeadlines = GENEROUS) -> OpenAIChatModel:
    """Return the fast lane to a server."""
    endpoint = read_endpoint(url, "OPENAI_BASE_URL")
    return OpenAIChatModel(endpoint, "scripted-1", deadlines=deadlines, api_key="sk-test")


def langchain_model(url: str, deadlines: ModelDeadlines = GENEROUS) -> ChatModel:
    """Return LangChain's lane to a server."""
    from app.infra.llm.reasoning_chat_openai import langchain_openai_model  # heavy

    return langchain_openai_model(
        "scripted-1", deadlines=deadlines, api_key="sk-test", base_url=url
    )


def made(kind: str, url: str, deadlines: ModelDeadlines = GENEROUS) -> ChatModel:
    """Return a model of one kind."""
    if kind == "fast":
        return fast_model(url, deadlines)
    if kind == "langchain":
        return langchain_model(url, deadlines)
    return ScriptedChatModel(first_token_seconds=deadlines.first_token, idle_seconds=deadlines.idle)


def ask(text: str) -> list[PromptMessage]:
    """Return a prompt with a question."""
    return [PromptMessage("system", "Be brief."), PromptMessage("user", text)]


@asynccontextmanager
async def closing(model: ChatModel) -> AsyncIterator[ChatModel]:
    """Close a model at the end of a block."""
    try:
        yield model
    finally:
        await model.close()


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server_process() as running:
        yield running


@pytest.fixture(params=KINDS)
async def model(request: pytest.FixtureRequest, server: ModelServer) -> AsyncIterator[ChatModel]:
    async with closing(made(request.param, server.openai_url)) as ready:
        yield ready


async def test_the_sink_hears_what_the_reply_says(model: ChatModel) -> None:
    notes = Notes()
    reply = await model.stream(
        ask("[[say=Gr%C3%BC%C3%9Fe%20aus%20%22K%C3%B6ln%22%20%F0%9F%8C%8D]]"), notes
    )
    assert reply.text == notes.all("text") == 'Grüße aus "Köln" 🌍'
    assert reply.finish_reason == "stop"


async def test_the_reply_says_what_it_took(model: ChatModel) -> None:
    reply = await model.stream(ask("[[tokens=5 reasoning=2]]"), Notes())
    assert reply.usage is not None
    assert reply.usage.input_tokens
    assert reply.usage.output_tokens == 7
    assert reply.usage.reasoning_tokens == 2


async def test_a_provider_that_does_not_count_gives_no_usage(model: ChatModel) -> None:
    reply = await model.stream(ask("[[tokens=2 usage=-1]]"), Notes())
    assert reply.usage is None


async def test_thoughts_come_before_the_text_and_apart(model: ChatModel) -> None:
    notes = Notes()
    reply = await model.stream(ask("[[tokens=1 reasoning=2]]"), notes)
    assert notes.all("reasoning") == "thought1 thought2 "
    assert notes.pieces[-1] == ("text", "word1 ")
    assert reply.text == "word1 "


async def test_chunks_without_choices_say_nothing(model: ChatModel) -> None:
    reply = await model.stream(ask("[[tokens=2 empty=3]]"), Notes())
    assert reply.text == "word1 word2 "


async def test_a_reply_in_tiny_pieces_is_the_same_reply(model: ChatModel) -> None:
    reply = await model.stream(ask("[[say=na%C3%AFve%20caf%C3%A9 split=3]]"), Notes())
    assert reply.text == "naïve café"


async def test_many_replies_at_once_do_not_mix(model: ChatModel) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(model.stream(ask(f"[[tokens={count} per_write=2]]"), Notes()))
            for count in range(1, 20)
        ]
    for count, task in enumerate(tasks, start=1):
        assert task.result().text == "".join(f"word{number} " for number in range(1, count + 1))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_rejected_request_is_refused(model: ChatModel, status: int) -> None:
    with pytest.raises(ModelRefused) as caught:
        await model.stream(ask(f"[[status={status}]]"), Notes())
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_an_overloaded_server_is_unavailable(model: ChatModel, status: int) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await model.stream(ask(f"[[status={status}]]"), Notes())
    assert "secret" not in caught.value.message


async def test_the_caller_learns_when_to_come_back(model: ChatModel) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await model.stream(ask("[[status=429 retry_after=7]]"), Notes())
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("fault", ["reset", "truncate", "malformed", "error"])
async def test_a_reply_that_breaks_off_is_an_error(model: ChatModel, fault: str) -> None:
    notes = Notes()
    with pytest.raises(ModelUnavailable) as caught:
        await model.stream(ask(f"[[tokens=6 rate=50 fault={fault} at=3]]"), notes)
    assert notes.all("text") == "word1 word2 word3 "
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("at", [-1, 0])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_does_not_begin_runs_out_of_time(
    kind: str, at: int, server: ModelServer
) -> None:
    deadlines = ModelDeadlines(connect=10, first_token=0.5, idle=20, total=60)
    async with closing(made(kind, server.openai_url, deadlines)) as model:
        with pytest.raises(DeadlineExceeded):
            await model.stream(ask(f"[[fault=hang at={at}]]"), Notes())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_falls_silent_runs_out_of_time(kind: str, server: ModelServer) -> None:
    deadlines = ModelDeadlines(connect=10, first_token=20, idle=0.5, total=60)
    notes = Notes()
    async with closing(made(kind, server.openai_url, deadlines)) as model:
        with pytest.raises(DeadlineExceeded):
            await model.stream(ask("[[fault=hang at=2]]"), notes)
    assert notes.all("text") == "word1 word2 "


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_may_take_longer_than_any_pause(kind: str, server: ModelServer) -> None:
    deadlines = ModelDeadlines(connect=10, first_token=20, idle=1.5, total=60)
    async with closing(made(kind, server.openai_url, deadlines)) as model:
        reply = await model.stream(ask("[[tokens=8 rate=4]]"), Notes())
    assert reply.text.endswith("word8 ")


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_reply_that_drips_without_end_runs_out_of_time(
    kind: str, server: ModelServer
) -> None:
    deadlines = ModelDeadlines(connect=10, first_token=20, idle=20, total=0.8)
    async with closing(made(kind, server.openai_url, deadlines)) as model:
        with pytest.raises(DeadlineExceeded):
            await model.stream(ask("[[tokens=1000 rate=20]]"), Notes())


async def test_a_token_is_heard_before_the_reply_is_over(model: ChatModel) -> None:
    notes = Notes()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(model.stream(ask("[[fault=hang at=1]]"), notes))
        await notes.begun.wait()
        assert notes.pieces == [("text", "word1 ")]
        task.cancel()
    assert task.cancelled()


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_cancelling_closes_the_connection(kind: str, server: ModelServer) -> None:
    mark = uuid4().hex
    notes = Notes()
    async with (
        closing(made(kind, server.openai_url)) as model,
        asyncio.TaskGroup() as group,
    ):
        task = group.create_task(model.stream(ask(f"{mark} [[fault=hang at=1]]"), notes))
        await notes.begun.wait()
        task.cancel()
    [seen] = await server.requests_with(mark)
    assert (await server.ended(seen.number)).outcome == "left"


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_the_server_sees_the_prompt_and_the_key(kind: str, server: ModelServer) -> None:
    mark = uuid4().hex
    prompt = [PromptMessage("user", "first"), PromptMessage("assistant", "second"), *ask(mark)]
    async with closing(made(kind, server.openai_url)) as model:
        await model.stream(prompt, Notes())
    [seen] = await server.requests_with(mark)
    assert seen.authorization == "Bearer sk-test"
    for word in ("first", "second", "Be brief.", '"stream":true', "scripted-1"):
        assert word in seen.body


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_server_that_is_not_there_is_unavailable(kind: str) -> None:
    async with closing(made(kind, "http://127.0.0.1:9/v1")) as model:
        with pytest.raises(ModelUnavailable):
            await model.stream(ask("Hello?"), Notes())


def script_of(calls: object, **more: str) -> str:
    """Return a directive that makes calls."""
    words = {"calls": json.dumps(calls), **more}
    return f"[[{' '.join(f'{key}={quote(value)}' for key, value in words.items())}]]"


def wanted(reply: ModelReply) -> list[tuple[str, object]]:
    """Return the names and arguments of a reply's calls."""
    return [(call.name, json.loads(call.arguments)) for call in reply.calls]


async def test_a_model_that_is_offered_tools_may_call_them(model: ChatModel) -> None:
    notes = Notes()
    script = script_of(CALLS, before="Let me see.")
    reply = await model.stream(ask(script), notes, TOOLS)
    assert wanted(reply) == [("add", {"a": 1, "b": "Grüße"}), ("now", {}), ("add", {"a": [2]})]
    assert reply.text == notes.all("text") == "Let me see."
    assert reply.finish_reason == "tool_calls"
    assert len({call.id for call in reply.calls}) == 3


async def test_a_model_that_is_offered_no_tools_answers(model: ChatModel) -> None:
    reply = await model.stream(ask(script_of(CALLS, say="So be it.")), Notes())
    assert (reply.text, reply.calls) == ("So be it.", ())


async def test_a_model_is_told_what_its_tools_gave_back(model: ChatModel) -> None:
    prompt = ask(script_of([CALLS[:2], CALLS[2:]], say="Got {results}."))
    for results in (["3", "12:00"], ["4"]):
        reply = await model.stream(prompt, Notes(), TOOLS)
        assert len(reply.calls) == len(results)
        prompt.append(PromptMessage("assistant", reply.text, calls=reply.calls))
        prompt += [
            PromptMessage("tool", result, call_id=call.id)
            for call, result in zip(reply.calls, results, strict=True)
        ]
    reply = await model.stream(prompt, Notes(), TOOLS)
    assert (reply.text, reply.calls) == ("Got 3 12:00 4.", ())


async def test_arguments_that_are_no_json_are_the_callers_to_judge(model: ChatModel) -> None:
    script = script_of([{"name": "add", "arguments": "{a: 1"}], form="whole")
    [call] = (await model.stream(ask(script), Notes(), TOOLS)).calls
    assert call.arguments == "{a: 1"


async def test_a_call_that_was_no_json_can_be_told_again(model: ChatModel) -> None:
    script = script_of([{"name": "add", "arguments": "{a: 1"}], say="Sorry.")
    reply = await model.stream(ask(script), Notes(), TOOLS)
    prompt = [
        *ask(script),
        PromptMessage("assistant", "", calls=reply.calls),
        PromptMessage("tool", "The arguments are no JSON.", call_id=reply.calls[0].id),
    ]
    assert (await model.stream(prompt, Notes(), TOOLS)).text == "Sorry."


@pytest.mark.parametrize("more", [{"split": "5"}, {"per_write": "4"}, {"framing": "close"}])
async def test_calls_are_the_same_however_they_come(model: ChatModel, more: dict[str, str]) -> None:
    reply = await model.stream(ask(script_of(CALLS, **more)), Notes(), TOOLS)
    assert [name for name, _ in wanted(reply)] == ["add", "now", "add"]


async def test_calls_from_a_server_that_does_not_stream_are_understood(server: ModelServer) -> None:
    async with closing(fast_model(server.openai_url)) as model:
        reply = await model.stream(ask(script_of(CALLS, whole="1")), Notes(), TOOLS)
    assert [name for name, _ in wanted(reply)] == ["add", "now", "add"]


# What OpenAI's client thinks of arguments that are no string.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_every_servers_way_of_sending_calls_is_understood(
    kind: str, form: str, server: ModelServer
) -> None:
    async with closing(made(kind, server.openai_url)) as model:
        reply = await model.stream(ask(script_of(CALLS, form=form)), Notes(), TOOLS)
    assert wanted(reply) == [("add", {"a": 1, "b": "Grüße"}), ("now", {}), ("add", {"a": [2]})]
    assert len({call.id for call in reply.calls}) == 3


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_model_that_begins_with_a_call_has_begun(kind: str, server: ModelServer) -> None:
    deadlines = ModelDeadlines(connect=10, first_token=2, idle=10, total=60)
    async with closing(made(kind, server.openai_url, deadlines)) as model:
        reply = await model.stream(ask(script_of(CALLS, rate="4")), Notes(), TOOLS)
    assert len(reply.calls) == 3


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_call_that_breaks_off_is_not_asked_for_again(
    kind: str, server: ModelServer
) -> None:
    mark = uuid4().hex
    script = f"{mark} {script_of(CALLS, fault='reset', at='2')}"
    async with closing(made(kind, server.openai_url)) as model:
        with pytest.raises(ModelUnavailable):
            await RetryingChatModel(model, pause_seconds=0).stream(ask(script), Notes(), TOOLS)
    assert len(await server.requests_with(mark)) == 1


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_model_that_can_use_no_tools_answers_without(
    kind: str, server: ModelServer
) -> None:
    async with closing(LenientChatModel(made(kind, server.openai_url))) as model:
        reply = await model.stream(ask("[[toolless=1 say=Plainly.]]"), Notes(), TOOLS)
    assert reply.text == "Plainly."


async def test_a_model_that_can_use_no_tools_refuses_them(model: ChatModel) -> None:
    with pytest.raises(ModelRefused):
        await model.stream(ask("[[toolless=1]]"), Notes(), TOOLS)


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_cancelling_a_reply_with_tools_closes_the_connection(
    kind: str, server: ModelServer
) -> None:
    mark = uuid4().hex
    notes = Notes()
    async with (
        closing(made(kind, server.openai_url)) as model,
        asyncio.TaskGroup() as group,
    ):
        prompt = ask(f"{mark} [[fault=hang at=1]]")
        task = group.create_task(model.stream(prompt, notes, TOOLS))
        await notes.begun.wait()
        task.cancel()
    [seen] = await server.requests_with(mark)
    assert (await server.ended(seen.number)).outcome == "left"
