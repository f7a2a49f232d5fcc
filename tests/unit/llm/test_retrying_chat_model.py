"""A model is asked again only before it said anything."""

from collections.abc import Sequence

import pytest

from app.infra.llm.provider_faults import begun
from app.infra.llm.retrying_chat_model import RetryingChatModel
from core.errors import AppError, DeadlineExceeded, ModelRefused, ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer


class FailingModel:
    """A model that fails with one error after the other and then answers.

    says: what it says each time before it fails.
    offered: how many tools it was offered, each time.
    """

    def __init__(self, *errors: AppError, says: str = "") -> None:
        self.calls = 0
        self.offered: list[int] = []
        self._errors = list(errors)
        self._says = says

    @property
    def name(self) -> str:
        return "failing"

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        self.calls += 1
        self.offered.append(len(tools))
        if self._says:
            sink.text(self._says)
        if self._errors:
            raise self._errors.pop(0)
        return ModelReply("fine", "stop", None)

    async def close(self) -> None:
        """Nothing to close."""


class Ignore:
    """A sink that keeps nothing."""

    def text(self, delta: str) -> None:
        """Ignore it."""

    def reasoning(self, delta: str) -> None:
        """Ignore it."""


def unavailable(retry_after_seconds: float | None = None) -> ModelUnavailable:
    return ModelUnavailable("busy", retry_after_seconds=retry_after_seconds)


async def test_a_model_that_fails_at_first_is_asked_again() -> None:
    model = FailingModel(unavailable(0.01))
    reply = await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert reply.text == "fine"
    assert model.calls == 2


async def test_a_model_is_asked_three_times_at_most() -> None:
    model = FailingModel(*[unavailable()] * 5)
    with pytest.raises(ModelUnavailable):
        await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert model.calls == 3


@pytest.mark.parametrize("error", [ModelRefused("no"), DeadlineExceeded("late")])
async def test_what_will_fail_again_or_took_long_is_not_asked_again(error: AppError) -> None:
    model = FailingModel(error)
    with pytest.raises(type(error)):
        await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert model.calls == 1


async def test_a_model_that_said_something_is_not_asked_again() -> None:
    model = FailingModel(unavailable(), says="Well, ")
    with pytest.raises(ModelUnavailable):
        await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert model.calls == 1


async def test_a_model_that_had_begun_a_call_is_not_asked_again() -> None:
    model = FailingModel(begun(unavailable()))
    with pytest.raises(ModelUnavailable):
        await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert model.calls == 1


async def test_tools_are_offered_each_time() -> None:
    model = FailingModel(unavailable(), unavailable())
    tools = [ToolOffer("add", "Adds.", {"type": "object"})]
    await RetryingChatModel(model, pause_seconds=0).stream([], Ignore(), tools)
    assert model.offered == [1, 1, 1]


async def test_a_server_that_wants_a_long_pause_gets_it() -> None:
    model = FailingModel(unavailable(60))
    with pytest.raises(ModelUnavailable) as caught:
        await RetryingChatModel(model, pause_seconds=0).stream([], Ignore())
    assert caught.value.retry_after_seconds == 60
    assert model.calls == 1
