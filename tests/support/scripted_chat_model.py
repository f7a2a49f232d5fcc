"""A `ChatModel` without a server: it plays the same scripts as the scripted model server."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from core.errors import AppError, DeadlineExceeded, ModelRefused, ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer, WantedCall
from core.runs import Usage
from scripts.scripted_model.asked import Asked
from scripts.scripted_model.calls import Call, scene
from scripts.scripted_model.chunks import words
from scripts.scripted_model.script import Script, read_script

PLAIN = Script()


class ScriptedChatModel:
    """See `ChatModel`. It says what the directive in the last user message asks for.

    replies: what to say to prompts without a directive, one after the other; the last one again
        and again. Each may be a directive itself: `[[call=NAME args=...]]` makes calls.
    first_token_seconds, idle_seconds: how long a `fault=hang` lasts before it is an error.
    prompts: what it was asked, for tests to look at; offers: which tools it was offered with it.
    cancelled: how many of its replies were cancelled.
    """

    def __init__(
        self,
        replies: Sequence[str] = ("It is blue.",),
        *,
        first_token_seconds: float = 20.0,
        idle_seconds: float = 15.0,
    ) -> None:
        self.prompts: list[tuple[PromptMessage, ...]] = []
        self.offers: list[tuple[ToolOffer, ...]] = []
        self.cancelled = 0
        self._replies = list(replies)
        self._first_token_seconds = first_token_seconds
        self._idle_seconds = idle_seconds

    @property
    def name(self) -> str:
        """See `ChatModel`."""
        return "scripted-1"

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """See `ChatModel`."""
        self.prompts.append(tuple(prompt))
        self.offers.append(tuple(tools))
        asked = _asked(prompt, tools)
        script = read_script(asked.message, PLAIN)
        if script is PLAIN:
            # Given one by one, replies know nothing of rounds.
            script, asked = self._next_reply(), replace(asked, round=0)
        if script.status or (script.toolless and tools):
            raise _refused(script)
        script, calls = scene(script, asked)
        try:
            return await self._play(script, calls, sink)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def close(self) -> None:
        """See `ChatModel`."""

    def _next_reply(self) -> Script:
        say = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return read_script(say, replace(PLAIN, say=say))

    async def _play(self, script: Script, calls: Sequence[Call], sink: ReplySink) -> ModelReply:
        await asyncio.sleep(script.delay)
        for number in range(script.reasoning):
            sink.reasoning(f"thought{number + 1} ")
        tokens = words(script)
        for number, token in enumerate(tokens):
            if script.fault and number >= script.at:
                break
            # Even without a rate others get their turn between two tokens.
            await asyncio.sleep(1 / script.rate if script.rate else 0)
            sink.text(token)
        if script.fault:
            raise await self._fault(script)
        count = len(tokens) + len(calls) + script.reasoning
        usage = Usage("scripted", self.name, 1, count, script.reasoning)
        return ModelReply(
            "".join(tokens),
            "tool_calls" if calls else "stop",
            None if script.usage < 0 else usage,
            self._wanted(calls),
        )

    def _wanted(self, calls: Sequence[Call]) -> tuple[WantedCall, ...]:
        number = len(self.prompts)
        numbered = enumerate(calls, start=1)
        return tuple(WantedCall(f"call_{number}_{n}", c.name, c.arguments) for n, c in numbered)

    async def _fault(self, script: Script) -> AppError:
        if script.fault != "hang":
            return ModelUnavailable("the model's server broke off in the middle of its answer")
        has_begun = script.at > 0 or script.reasoning > 0
        await asyncio.sleep(self._idle_seconds if has_begun else self._first_token_seconds)
        return DeadlineExceeded("the model did not answer in time")


def _asked(prompt: Sequence[PromptMessage], tools: Sequence[ToolOffer]) -> Asked:
    users = [place for place, part in enumerate(prompt) if part.role == "user"]
    later = prompt[users[-1] + 1 :] if users else ()
    return Asked(
        message=prompt[users[-1]].content if users else "",
        round=sum(1 for part in later if part.calls),
        results=tuple(part.content for part in later if part.role == "tool"),
        offers_tools=bool(tools),
    )


def _refused(script: Script) -> AppError:
    if script.status == 429 or script.status >= 500:
        seconds = float(script.retry_after) if script.retry_after else None
        return ModelUnavailable("the model's server is overloaded", retry_after_seconds=seconds)
    return ModelRefused(f"the model's server rejected the request (status {script.status})")
