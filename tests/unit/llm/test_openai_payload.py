"""The body of a request is what langchain-openai would send, byte for byte in meaning."""

import json

import pytest
from langchain_core.runnables import RunnableBinding
from langchain_openai import ChatOpenAI

from app.infra.llm.langchain_prompt import messages_of
from app.infra.llm.openai_payload import OpenAIPayload, function_of
from core.ports.chat_model import PromptMessage, ToolOffer, WantedCall

PROMPT = [
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Grüße"),
    PromptMessage("assistant", 'He said "no".'),
    PromptMessage("user", ""),
]

CALLS = (
    WantedCall("call00001", "add", '{"a": 1, "b": "Grüße"}'),
    WantedCall("call00002", "now", "{}"),
)
WITH_CALLS = [
    *PROMPT,
    PromptMessage("assistant", "", calls=CALLS),
    PromptMessage("tool", "3", call_id="call00001"),
    PromptMessage("tool", "12:00", call_id="call00002"),
    PromptMessage("assistant", "And once more.", calls=CALLS[:1]),
    PromptMessage("tool", "3", call_id="call00001"),
]
TOOLS = [
    ToolOffer("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}}),
    ToolOffer("now", "Tells the time.", {"type": "object", "properties": {}}),
]
MODELS = ["gpt-5.4-mini", "o3-mini", "llama3.2:1b", "gpt-5-pro"]


@pytest.mark.parametrize("model", MODELS)
async def test_the_body_is_what_langchain_would_send(model: str) -> None:
    chat = ChatOpenAI(model=model, api_key=lambda: "k", use_responses_api=False)
    expected = chat._get_request_payload(
        [(message.role, message.content) for message in PROMPT],
        stream=True,
        stream_options={"include_usage": True},
    )
    assert json.loads(await OpenAIPayload(model).build(PROMPT)) == expected


@pytest.mark.parametrize("model", MODELS)
async def test_calls_and_tools_are_what_langchain_would_send(model: str) -> None:
    chat = ChatOpenAI(model=model, api_key=lambda: "k", use_responses_api=False)
    bound = chat.bind_tools([function_of(tool) for tool in TOOLS], tool_choice="auto")
    assert isinstance(bound, RunnableBinding)
    expected = chat._get_request_payload(
        messages_of(WITH_CALLS),
        stream=True,
        stream_options={"include_usage": True},
        **bound.kwargs,
    )
    assert json.loads(await OpenAIPayload(model).build(WITH_CALLS, TOOLS)) == expected


@pytest.mark.parametrize("arguments", ["", "{", "[1]", '"text"', '{"a": 1}{"a": 2}'])
async def test_arguments_that_are_no_object_are_not_sent_back(arguments: str) -> None:
    call = WantedCall("call00001", "add", arguments)
    prompt = [*PROMPT, PromptMessage("assistant", "", calls=(call,))]
    body = json.loads(await OpenAIPayload("m").build(prompt))
    assert body["messages"][-1]["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_without_tools_the_body_names_none() -> None:
    body = json.loads(await OpenAIPayload("m").build(PROMPT))
    assert not {"tools", "tool_choice"} & set(body)
