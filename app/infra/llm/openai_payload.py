"""Builds request bodies for the OpenAI protocol with langchain-openai's own class."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic_core import to_json

from core.ports.chat_model import PromptMessage

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI


class OpenAIPayload:
    """The body of a streaming chat completion, as `ChatOpenAI` would send it.

    It knows what each model takes (roles, names of limits); only the way back is ours.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._chat: ChatOpenAI | None = None

    async def build(self, prompt: Sequence[PromptMessage]) -> bytes:
        """Return the JSON body for a prompt."""
        chat = self._chat or await self.load()
        # The one place where the body is made has no public name; the contract tests watch it.
        payload = chat._get_request_payload(
            [(message.role, message.content) for message in prompt],
            stream=True,
            stream_options={"include_usage": True},
        )
        return to_json(payload)

    async def load(self) -> "ChatOpenAI":
        """Do the slow import (about a second) off the loop; done twice it is only done twice."""
        self._chat = await asyncio.to_thread(self._make)
        return self._chat

    def _make(self) -> "ChatOpenAI":
        from langchain_openai import ChatOpenAI  # heavy, see above

        # It never connects: key and address are only there because it insists on them.
        return ChatOpenAI(
            model=self._model,
            api_key=lambda: "unused",
            base_url="http://unused.invalid",
            use_responses_api=False,
        )
