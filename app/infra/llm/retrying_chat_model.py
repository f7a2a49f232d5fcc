"""Asks again where a model's server failed before it said anything."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from app.infra.llm.provider_faults import ReplyBrokenOff
from core.errors import ModelUnavailable
from core.ports.chat_model import ChatModel, ModelReply, PromptMessage, ReplySink, ToolOffer

_RETRIES: Final = 2
_PATIENCE_SECONDS: Final = 5.0


class RetryingChatModel:
    """See `ChatModel`. Two retries, never after the first token or the first piece of a call.

    The pause is what the server asks for, else `pause_seconds`, doubled each time, less up to half
    of it by chance, so that those who failed together don't come back together. A server that asks
    for more than five seconds gets no retry: the caller learns when to come back.
    """

    def __init__(self, model: ChatModel, *, pause_seconds: float = 0.25) -> None:
        self._model = model
        self._pause_seconds = pause_seconds

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
        witness = _Witness(sink)
        for attempt in range(_RETRIES):
            try:
                return await self._model.stream(prompt, witness, tools)
            except ReplyBrokenOff:
                raise
            except ModelUnavailable as error:
                asked = error.retry_after_seconds or 0.0
                if witness.has_heard or asked > _PATIENCE_SECONDS:
                    raise
            pause = self._pause_seconds * 2**attempt * random.uniform(0.5, 1)
            await asyncio.sleep(max(asked, pause))
        return await self._model.stream(prompt, witness, tools)

    async def close(self) -> None:
        """See `ChatModel`."""
        await self._model.close()


class _Witness:
    """Hands a reply on and remembers that there was one."""

    __slots__ = ("_sink", "has_heard")

    def __init__(self, sink: ReplySink) -> None:
        self._sink = sink
        self.has_heard = False

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        self.has_heard = True
        self._sink.text(delta)

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        self.has_heard = True
        self._sink.reasoning(delta)
