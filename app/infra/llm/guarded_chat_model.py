"""Does not ask a model that is known to be down."""

from collections.abc import Sequence

from core.errors import AppError, DeadlineExceeded, ModelUnavailable
from core.ports.breakers import CircuitOpen, StreamBreakers, Uncounted
from core.ports.chat_model import ChatModel, ModelReply, PromptMessage, ReplySink, ToolOffer


class GuardedChatModel:
    """See `ChatModel`. Goes around the retries: a reply that came with the third try is well.

    provider: what the breaker is called after, with the model's name.
    seconds: longer than the model's own deadlines and retries allow, for they say more.
    Only an unavailable model and a missed deadline count: a refusal comes from a server that
    works, and what a sink raises says nothing about it.
    """

    def __init__(
        self, model: ChatModel, breakers: StreamBreakers, *, provider: str, seconds: float
    ) -> None:
        self._model = model
        self._breakers = breakers
        self._seconds = seconds
        self._circuit = f"model:{provider}/{model.name}"

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
        """See `ChatModel`. Raises `ModelUnavailable` at once while nobody may ask."""
        ear = _Ear(sink, self._breakers, self._circuit)

        async def ask() -> ModelReply:
            try:
                return await self._model.stream(prompt, ear, tools)
            except (ModelUnavailable, DeadlineExceeded):
                raise
            except Exception as error:
                raise Uncounted(error) from None

        try:
            return await self._breakers.call(self._circuit, ask, seconds=self._seconds)
        except (CircuitOpen, TimeoutError) as error:
            raise _told(error) from error

    async def close(self) -> None:
        """See `ChatModel`."""
        await self._model.close()


class _Ear:
    """Hands a reply on, and tells the breakers that it began."""

    __slots__ = ("_breakers", "_circuit", "_has_heard", "_sink")

    def __init__(self, sink: ReplySink, breakers: StreamBreakers, circuit: str) -> None:
        self._sink = sink
        self._breakers = breakers
        self._circuit = circuit
        self._has_heard = False

    def text(self, delta: str) -> None:
        """See `ReplySink`."""
        if not self._has_heard:
            self._begin()
        self._sink.text(delta)

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""
        if not self._has_heard:
            self._begin()
        self._sink.reasoning(delta)

    def _begin(self) -> None:
        self._has_heard = True
        self._breakers.answered(self._circuit)


def _told(error: CircuitOpen | TimeoutError) -> AppError:
    if isinstance(error, CircuitOpen):
        return ModelUnavailable(
            "the model failed several times in a row and is not asked for a while",
            retry_after_seconds=error.retry_after_seconds,
        )
    return DeadlineExceeded("the model did not finish its answer in time")
