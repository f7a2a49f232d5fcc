"""`ChatOpenAI` that keeps what servers send otherwise than OpenAI does."""

import json
from typing import Any

import httpx
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.langchain_chat_model import LangChainChatModel

_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)


def langchain_openai_model(
    name: str,
    *,
    deadlines: ModelDeadlines,
    api_key: str = "",
    base_url: str | None = None,
    responses: bool = False,
) -> LangChainChatModel:
    """Return the OpenAI protocol in LangChain's lane; proxies of the environment are used.

    base_url: None for OpenAI's own.
    responses: speak the Responses API instead of Chat Completions.
    """
    # A client of its own: LangChain's shared one outlives the event loop that it belongs to.
    timeout = httpx.Timeout(deadlines.total, connect=deadlines.connect)
    client = httpx.AsyncClient(limits=_LIMITS, follow_redirects=True)
    chat = ReasoningChatOpenAI(
        model=name,
        # Servers on one's own machine ask for none; the class insists on one.
        api_key=lambda: api_key or "none",
        base_url=base_url,
        http_async_client=client,
        timeout=timeout,
        use_responses_api=responses,
        stream_usage=True,
        max_retries=0,
        # It is built on `wait_for`, which in Python 3.11 can swallow a cancellation; the deadlines
        # are ours anyway.
        stream_chunk_timeout=None,
    )
    return LangChainChatModel(
        chat,
        name,
        deadlines=deadlines,
        provider="openai",
        says_why=not responses,
        client=client,
    )


class ReasoningChatOpenAI(ChatOpenAI):
    """Puts `reasoning_content` or `reasoning` where LangChain's other providers have it.

    It also completes tool calls, which LangChain passes over where one of them has no index.
    """

    def _convert_chunk_to_generation_chunk(
        self,
        chunk: dict[str, Any],
        default_chunk_class: type,
        base_generation_info: dict[str, Any] | None,
    ) -> ChatGenerationChunk | None:
        _complete_calls(chunk)
        made = super()._convert_chunk_to_generation_chunk(
            chunk, default_chunk_class, base_generation_info
        )
        thought = _thought(chunk)
        if made is not None and thought and isinstance(made.message, AIMessageChunk):
            made.message.additional_kwargs["reasoning_content"] = thought
            # With "openai" here LangChain would not look at it.
            made.message.response_metadata["model_provider"] = "openai_compatible"
        return made


def _complete_calls(chunk: dict[str, Any]) -> None:
    for call in _delta(chunk).get("tool_calls") or ():
        call.setdefault("index", None)
        function = call["function"] = call.get("function") or {}
        if isinstance(function.get("arguments"), dict):
            function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)


def _delta(chunk: dict[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices") or [{}]
    delta: dict[str, Any] = choices[0].get("delta") or {}
    return delta


def _thought(chunk: dict[str, Any]) -> str:
    delta = _delta(chunk)
    return str(delta.get("reasoning_content") or delta.get("reasoning") or "")
