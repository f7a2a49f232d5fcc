"""A model that can't use tools answers without them."""

from collections.abc import Sequence

import pytest

from app.infra.llm.lenient_chat_model import LenientChatModel
from app.infra.llm.provider_faults import ToolsRefused, refused
from core.errors import ModelRefused
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer

TOOLS = [ToolOffer("add", "Adds.", {"type": "object"})]


class PlainModel:
    """A model that refuses tools. offered: how many it was offered, each time."""

    name = "plain"

    def __init__(self, error: ModelRefused) -> None:
        self.offered: list[int] = []
        self._error = error

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        self.offered.append(len(tools))
        if tools:
            raise self._error
        return ModelReply("fine", "stop", None)

    async def close(self) -> None:
        """Nothing to close."""


class Ignore:
    """A sink that keeps nothing."""

    def text(self, delta: str) -> None:
        """Ignore it."""

    def reasoning(self, delta: str) -> None:
        """Ignore it."""


async def test_a_model_that_refuses_tools_answers_without_and_is_not_offered_them_again() -> None:
    model = PlainModel(ToolsRefused("no tools"))
    lenient = LenientChatModel(model)
    for _ in range(2):
        assert (await lenient.stream([], Ignore(), TOOLS)).text == "fine"
    assert model.offered == [1, 0, 0]


async def test_any_other_refusal_stays_one() -> None:
    model = PlainModel(ModelRefused("no"))
    with pytest.raises(ModelRefused):
        await LenientChatModel(model).stream([], Ignore(), TOOLS)
    assert model.offered == [1]


@pytest.mark.parametrize(
    "words",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        '\\"auto\\" tool choice requires --enable-auto-tool-choice and ...',
        "tools param requires --jinja flag",
        "No endpoints found that support tool use. Try disabling ...",
        "`tool calling` is not supported with this model",
        "Unsupported parameter: 'tools' is not supported with this model.",
        "deepseek-reasoner does not support Function Calling",
    ],
)
def test_servers_words_for_taking_no_tools_are_known(words: str) -> None:
    body = b'{"error": {"message": "%b"}}' % words.encode()
    assert isinstance(refused(400, body), ToolsRefused)


@pytest.mark.parametrize(
    "words",
    [
        "Invalid schema for function 'add': is not of type 'object'",
        "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
        "This model's maximum context length is 4096 tokens, with 3000 in the functions",
        "Unsupported value: 'temperature' does not support 0.5 with this model.",
    ],
)
def test_other_refusals_that_speak_of_tools_are_not_taken_for_it(words: str) -> None:
    body = b'{"error": {"message": "%b"}}' % words.encode()
    assert not isinstance(refused(400, body), ToolsRefused)
