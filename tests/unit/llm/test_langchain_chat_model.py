"""Classes of LangChain that can't stream, or can't use tools, are taken as they are."""

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.langchain_chat_model import LangChainChatModel
from app.infra.llm.provider_faults import ToolsRefused
from core.ports.chat_model import PromptMessage, ToolOffer

DEADLINES = ModelDeadlines(connect=10, first_token=20, idle=20, total=60)
TOOLS = [ToolOffer("add", "Adds.", {"type": "object", "properties": {}})]
QUESTION = [PromptMessage("user", "Why?")]


class Plain(BaseChatModel):
    """A model that neither streams nor takes tools."""

    answer: AIMessage

    @property
    def _llm_type(self) -> str:
        return "plain"

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer)])


class Tooled(Plain):
    """A model that does not stream."""

    def bind_tools(
        self, tools: Sequence[Any], **options: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=list(tools))


class Notes:
    """A sink that writes down the text."""

    def __init__(self) -> None:
        self.heard = ""

    def text(self, delta: str) -> None:
        self.heard += delta

    def reasoning(self, delta: str) -> None:
        raise AssertionError("it does not think")


def lane(model: BaseChatModel) -> LangChainChatModel:
    return LangChainChatModel(model, "plain", deadlines=DEADLINES, provider="test")


async def test_the_calls_of_a_class_that_does_not_stream_are_in_the_reply() -> None:
    answer = AIMessage(
        "Let me see.",
        tool_calls=[tool_call(name="add", args={"a": 1}, id="x")],
        invalid_tool_calls=[invalid_tool_call(name="add", args="{a", id="y")],
    )
    notes = Notes()
    reply = await lane(Tooled(answer=answer)).stream(QUESTION, notes, TOOLS)
    assert [(call.id, call.arguments) for call in reply.calls] == [("x", '{"a": 1}'), ("y", "{a")]
    assert reply.text == notes.heard == "Let me see."


async def test_a_class_without_tools_refuses_them() -> None:
    model = lane(Plain(answer=AIMessage("Hello.")))
    with pytest.raises(ToolsRefused):
        await model.stream(QUESTION, Notes(), TOOLS)
    assert (await model.stream(QUESTION, Notes())).text == "Hello."
