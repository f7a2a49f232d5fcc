"""Says in LangChain's messages what a prompt says, and offers its classes the tools."""

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.tool import tool_call
from langchain_core.runnables import Runnable, RunnableBinding

from app.infra.llm.call_pieces import is_object
from app.infra.llm.openai_payload import function_of
from app.infra.llm.provider_faults import ToolsRefused
from core.ports.chat_model import PromptMessage, ToolOffer, WantedCall

Chat = Runnable[Any, AIMessage]


def messages_of(prompt: Sequence[PromptMessage]) -> list[BaseMessage | tuple[str, str]]:
    """Return the messages as LangChain's classes take them."""
    return [_message(message) for message in prompt]


def with_tools(model: BaseChatModel, tools: Sequence[ToolOffer]) -> tuple[Chat, dict[str, Any]]:
    """Return what to stream from, and with which options, so that it may ask for the tools.

    Raises `ToolsRefused` where the class can't offer any.
    """
    if not tools:
        return model, {}
    try:
        bound = model.bind_tools([function_of(tool) for tool in tools])
    except NotImplementedError:
        raise ToolsRefused("the model can't use tools") from None
    if isinstance(bound, RunnableBinding):
        # Its generator would leave the model's open when it is closed, and with it the connection.
        return bound.bound, dict(bound.kwargs)
    return bound, {}


def _message(message: PromptMessage) -> BaseMessage | tuple[str, str]:
    if message.role == "tool":
        return ToolMessage(message.content, tool_call_id=message.call_id)
    if message.calls:
        calls = [_call(call) for call in message.calls]
        return AIMessage(message.content, tool_calls=calls)
    return message.role, message.content


def _call(call: WantedCall) -> Any:
    # Some classes pass over calls whose arguments are no object, and then miss them.
    arguments = json.loads(call.arguments) if is_object(call.arguments) else {}
    return tool_call(name=call.name, args=arguments, id=call.id)
