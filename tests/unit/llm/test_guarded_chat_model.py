"""Which ends of a reply count against a model, and what its caller is told."""

import asyncio
from collections.abc import Sequence

import pytest

from app.infra.llm.guarded_chat_model import GuardedChatModel
from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from core.errors import AppError, DeadlineExceeded, ModelRefused, ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer

FAILURES = 3
OFFER = ToolOffer("look", "Looks.", {"type": "object"})


class Model:
    """A model that says something and then fails, answers, or waits for good."""

    def __init__(self, ends: Exception | None = None, *, waits: bool = False) -> None:
        self.ends = ends
        self.calls = 0
        self.offered: Sequence[ToolOffer] = ()
        self.is_closed = False
        self._waits = waits

    @property
    def name(self) -> str:
        return "m-1"

    async def stream(
        self, prompt: Sequence[PromptMessage], sink: ReplySink, tools: Sequence[ToolOffer] = ()
    ) -> ModelReply:
        self.calls += 1
        self.offered = tools
        sink.reasoning("Hm. ")
        sink.text("Yes")
        if self._waits:
            await asyncio.Event().wait()
        if self.ends:
            raise self.ends
        return ModelReply("Yes", "stop", None)

    async def close(self) -> None:
        self.is_closed = True


class Said:
    """A sink that keeps what it hears."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def text(self, delta: str) -> None:
        self.all.append(delta)

    def reasoning(self, delta: str) -> None:
        self.all.append(delta)


def guarded(model: Model, *, seconds: float = 10) -> tuple[GuardedChatModel, PyBreakers]:
    breakers = PyBreakers(MemoryCircuits(), failures=FAILURES, open_seconds=60)
    return GuardedChatModel(model, breakers, provider="p", seconds=seconds), breakers


async def fail(chat: GuardedChatModel, times: int, error: type[Exception]) -> None:
    for _ in range(times):
        with pytest.raises(error):
            await chat.stream([], Said())


async def test_it_is_the_model_but_for_its_breaker() -> None:
    model, said = Model(), Said()
    chat, breakers = guarded(model)
    reply = await chat.stream([], said, [OFFER])
    assert (chat.name, reply.text, said.all) == ("m-1", "Yes", ["Hm. ", "Yes"])
    assert model.offered == [OFFER]
    assert [each.name for each in breakers.reports()] == ["model:p/m-1"]
    await chat.close()
    assert model.is_closed


@pytest.mark.parametrize("error", [ModelUnavailable("away"), DeadlineExceeded("late")])
async def test_a_model_that_fails_again_and_again_is_not_asked(error: AppError) -> None:
    model = Model(error)
    chat, _ = guarded(model)
    await fail(chat, FAILURES, type(error))
    with pytest.raises(ModelUnavailable) as caught:
        await chat.stream([], Said())
    assert model.calls == FAILURES
    assert caught.value.retry_after_seconds == pytest.approx(60, abs=10)


@pytest.mark.parametrize("error", [ModelRefused("no such model"), ZeroDivisionError()])
async def test_what_says_nothing_against_the_model_does_not_count(error: Exception) -> None:
    model = Model(error)
    chat, _ = guarded(model)
    await fail(chat, FAILURES * 2, type(error))
    assert model.calls == FAILURES * 2


async def test_a_model_that_outlives_its_own_deadlines_counts() -> None:
    model = Model(waits=True)
    chat, _ = guarded(model, seconds=0.01)
    await fail(chat, FAILURES, DeadlineExceeded)
    await fail(chat, 1, ModelUnavailable)
    assert model.calls == FAILURES
