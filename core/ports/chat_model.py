"""The port to a language model that streams its reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from core.runs import Usage


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that the model may ask for. schema: JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call that a model asks for, or asked for.

    arguments: what it gave as a JSON object, as text; not checked.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt.

    calls: what the assistant asked for in this message.
    call_id: which call a message of the role `tool` answers.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[WantedCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What the model said, whole, after it was streamed.

    finish_reason: the provider's word (`stop`, `length`, ...), None where it gave none.
    usage: None where the provider does not say.
    calls: the tools it asks for, in its order; then `text` may be empty.
    """

    text: str
    finish_reason: str | None
    usage: Usage | None
    calls: tuple[WantedCall, ...] = ()


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

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """Stream one reply into `sink` and return it whole.

        tools: what the model may ask for, in place of an answer or beside it.

        Raises `ModelUnavailable` (unreachable, broke off, overloaded), `ModelRefused` (the
        request or the key was rejected), `DeadlineExceeded` (no first token, or a pause in the
        middle, for longer than the settings allow). Retries only before the first token.
        Cancelling closes the connection, so that the provider stops too.
        """
        ...

    async def close(self) -> None:
        """Close idle connections; no call may follow."""
        ...
