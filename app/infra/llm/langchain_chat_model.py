"""The other lane: any provider that LangChain has a class for, at LangChain's price.

Measured: 100 to 200 µs of CPU a token against 10 in `openai_chat_model`.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

import httpx
import structlog
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata, add_usage

from app.infra.llm.call_pieces import CallPieces
from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.langchain_faults import translated
from app.infra.llm.langchain_prompt import messages_of, with_tools
from app.infra.llm.provider_faults import begun, broken_off, gone_quiet, no_first_token, too_slow
from core.errors import ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer
from core.runs import Usage

_log = structlog.get_logger(__name__)


class LangChainChatModel:
    """See `ChatModel`. Retries nothing itself; the class behind it may.

    says_why: the provider always gives a reason for the end, so that a stream without one has
        broken off.
    client: what `model` connects with, where it is ours to close.
    """

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        *,
        deadlines: ModelDeadlines,
        provider: str,
        says_why: bool = False,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._model = model
        self._client = client
        self._name = name
        self._deadlines = deadlines
        self._provider = provider
        self._says_why = says_why

    @property
    def name(self) -> str:
        """See `ChatModel`."""
        return self._name

    async def warm(self) -> None:
        """Do nothing: what is heavy was imported to make the model."""

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """See `ChatModel`."""
        listener = _Listener(sink)
        try:
            await self._listen(prompt, listener, tools)
            return self._reply(listener)
        except ModelUnavailable as error:
            if listener.said:
                raise begun(error) from None
            raise

    async def _listen(
        self, prompt: Sequence[PromptMessage], listener: "_Listener", tools: Sequence[ToolOffer]
    ) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time() + self._deadlines.total
        timer = asyncio.timeout_at(min(loop.time() + self._deadlines.first_token, last))
        try:
            async with timer, aclosing(_chunks(self._model, prompt, tools)) as chunks:
                async for chunk in chunks:
                    if timer.expired():
                        # A provider's package has swallowed the cancellation.
                        raise TimeoutError
                    if listener.take(chunk):
                        timer.reschedule(min(loop.time() + self._deadlines.idle, last))
        except TimeoutError:
            if not timer.expired():
                raise
            if loop.time() >= last:
                raise too_slow() from None
            raise (gone_quiet() if listener.said else no_first_token()) from None
        if self._says_why and listener.finish_reason is None:
            raise broken_off()

    async def close(self) -> None:
        """See `ChatModel`; a class that made its own client closes it when it is collected."""
        if self._client is not None:
            await self._client.aclose()

    def _reply(self, listener: "_Listener") -> ModelReply:
        counts = listener.counts
        usage = None
        if counts is not None:
            usage = Usage(
                provider=self._provider,
                model=self._name,
                input_tokens=counts["input_tokens"],
                output_tokens=counts["output_tokens"],
                reasoning_tokens=counts.get("output_token_details", {}).get("reasoning"),
            )
        calls = listener.calls.calls()
        return ModelReply("".join(listener.text), listener.finish_reason, usage, calls)


async def _chunks(
    model: BaseChatModel, prompt: Sequence[PromptMessage], tools: Sequence[ToolOffer]
) -> AsyncGenerator[AIMessageChunk, None]:
    """Yield what the model says. A generator, so that only its faults are translated.

    What the consumer raises does not pass through here.
    """
    try:
        ready, options = with_tools(model, tools)
        messages = messages_of(prompt)
        # A generator whatever its annotation says; closing it closes the connection.
        stream = cast("AsyncGenerator[AIMessageChunk, None]", ready.astream(messages, **options))
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                yield chunk
    except Exception as error:  # whatever a provider's package may raise
        # At DEBUG, because it may quote the prompt or the key; its translation says neither.
        _log.debug("model.failed", error=type(error).__name__, exc_info=error)
        raise translated(error) from None


class _Listener:
    """Gathers a reply while it hands it on."""

    def __init__(self, sink: ReplySink) -> None:
        self._sink = sink
        self.said = False
        self.text: list[str] = []
        self.calls = CallPieces()
        self.finish_reason: str | None = None
        self.counts: UsageMetadata | None = None

    def take(self, chunk: AIMessageChunk) -> bool:
        """Take a chunk and say whether the model said something in it."""
        self._take_facts(chunk)
        reasoning = _reasoning(chunk)
        if reasoning:
            self._sink.reasoning(reasoning)
        text = str(chunk.text)
        if text:
            self.text.append(text)
            self._sink.text(text)
        asked = self._take_calls(chunk)
        says = bool(text or reasoning or asked)
        self.said = self.said or says
        return says

    def _take_calls(self, chunk: AIMessage) -> bool:
        # A class that can't stream gives one message instead of chunks: that is one piece too.
        if not isinstance(chunk, AIMessageChunk):
            chunk = AIMessageChunk(
                content="",
                tool_calls=chunk.tool_calls,
                invalid_tool_calls=chunk.invalid_tool_calls,
            )
        for piece in chunk.tool_call_chunks:
            index = piece["index"] if isinstance(piece["index"], int) else None
            self.said = True
            self.calls.take(index, piece["id"] or "", piece["name"] or "", piece["args"] or "")
        return bool(chunk.tool_call_chunks)

    def _take_facts(self, chunk: AIMessageChunk) -> None:
        metadata = chunk.response_metadata
        reason = metadata.get("finish_reason") or metadata.get("stop_reason")
        if reason:
            self.finish_reason = str(reason)
        if chunk.usage_metadata:
            self.counts = add_usage(self.counts, chunk.usage_metadata)


def _reasoning(chunk: AIMessageChunk) -> str:
    if isinstance(chunk.content, str):
        return str(chunk.additional_kwargs.get("reasoning_content") or "")
    blocks = [block for block in chunk.content_blocks if block["type"] == "reasoning"]
    return "".join(block.get("reasoning", "") for block in blocks)
