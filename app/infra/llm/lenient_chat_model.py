"""Goes on without tools where a model can't use any."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from app.infra.llm.provider_faults import ToolsRefused
from core.ports.chat_model import ChatModel, ModelReply, PromptMessage, ReplySink, ToolOffer

_log = structlog.get_logger(__name__)

_FORGET_SECONDS: Final = 600.0


class LenientChatModel:
    """See `ChatModel`. A model whose server refuses tools is offered none for ten minutes.

    Many open models can't use tools, and servers say so only when they are offered some; such a
    model is still good for an answer.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._offers_from = 0.0

    @property
    def name(self) -> str:
        """See `ChatModel`."""
        return self._model.name

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """See `ChatModel`."""
        loop = asyncio.get_running_loop()
        if not tools or loop.time() < self._offers_from:
            return await self._model.stream(prompt, sink)
        try:
            return await self._model.stream(prompt, sink, tools)
        except ToolsRefused:
            _log.warning("model.takes_no_tools", model=self.name)
            self._offers_from = loop.time() + _FORGET_SECONDS
        return await self._model.stream(prompt, sink)

    async def close(self) -> None:
        """See `ChatModel`."""
        await self._model.close()
