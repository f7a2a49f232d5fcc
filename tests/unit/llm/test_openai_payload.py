"""The body of a request is what langchain-openai would send, byte for byte in meaning."""

import json

import pytest
from langchain_openai import ChatOpenAI

from app.infra.llm.openai_payload import OpenAIPayload
from core.ports.chat_model import PromptMessage

PROMPT = [
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Grüße"),
    PromptMessage("assistant", 'He said "no".'),
    PromptMessage("user", ""),
]


@pytest.mark.parametrize("model", ["gpt-5.4-mini", "o3-mini", "llama3.2:1b", "gpt-5-pro"])
async def test_the_body_is_what_langchain_would_send(model: str) -> None:
    chat = ChatOpenAI(model=model, api_key=lambda: "k", use_responses_api=False)
    expected = chat._get_request_payload(
        [(message.role, message.content) for message in PROMPT],
        stream=True,
        stream_options={"include_usage": True},
    )
    assert json.loads(await OpenAIPayload(model).build(PROMPT)) == expected
