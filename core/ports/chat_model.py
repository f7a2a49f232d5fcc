"""The port to a language model that streams its reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.runs import Usage


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What the model said, whole, after it was streamed.

    finish_reason: the provider's word (`stop`, `length`, ...), None where it gave none.
    usage: None where the provider does not say.
    """

    text: str
    finish_reason: str | None
    usage: Usage | None


class ReplySink(Protocol):
    """Takes a reply while it is made.

    The calls are synchronous and never block: they are on the path of every token. What one
    read from the network brought is one call.
    """

    def text(self, delta: str) -> None:
        """Take a piece of the answer."""
        ...

    def reasoning(self, delta: str) -> None:
        """Take a piece of what the model thought before it answered."""
        ...


class ChatModel(Protocol):
    """A language model behind any provider."""

    @property
    def name(self) -> str:
        """The model's name as the provider knows it."""
        ...

    async def stream(self, prompt: Sequence[PromptMessage], sink: ReplySink) -> ModelReply:
        """Stream one reply into `sink` and return it whole.

        Raises `ModelUnavailable` (unreachable, broke off, overloaded), `ModelRefused` (the
        request or the key was rejected), `DeadlineExceeded` (no first token, or a pause in the
        middle, for longer than the settings allow). Retries only before the first token.
        Cancelling closes the connection, so that the provider stops too.
        """
        ...

    async def close(self) -> None:
        """Close idle connections; no call may follow."""
        ...
