"""What MCP's clients send and get, where REST has no word for it already."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints

from app.api.document_models import Asked, Told
from core.conversations import Citation
from core.documents import DEFAULT_COLLECTION
from core.events import Interrupt

Collection = Annotated[str, Field(min_length=1, max_length=200)]


class Question(Asked):
    """A question to the assistant.

    conversation_id: a UUID, of an earlier answer; null: a new conversation.
    """

    question: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16_000)
    ]
    collection: Collection = DEFAULT_COLLECTION
    conversation_id: str | None = None


class WhichDocuments(Asked):
    """A page of a collection's documents. cursor: an earlier page's `next_cursor`."""

    collection: Collection = DEFAULT_COLLECTION
    cursor: str | None = None


class Source(Told):
    """Where a statement comes from; the answer calls it by its number, as in `[1]`."""

    number: int
    document_id: str
    document_name: str
    page: int | None
    quote: str


class Waiting(Told):
    """A call that is made once a person has approved of it."""

    tool: str
    arguments: JsonValue
    question: str

    @classmethod
    def of(cls, interrupt: Interrupt) -> Self:
        """Return what is told of an interrupt."""
        about = interrupt.metadata or {}
        return cls(
            tool=str(about.get("tool", "")),
            arguments=about.get("arguments"),
            question=interrupt.message or "",
        )


class Reply(Told):
    """The assistant's answer. needs_person: `waiting` says for what; `answer` is not all then."""

    status: Literal["answered", "needs_person"]
    answer: str
    citations: list[Source]
    conversation_id: str
    waiting: list[Waiting]

    def text(self) -> str:
        """Return it for a reader."""
        parts = [self.answer] if self.answer else []
        if self.citations:
            parts.append("Sources:\n" + "\n".join(_told(one) for one in self.citations))
        if self.waiting:
            calls = "\n".join(f"- {one.question} {one.tool}" for one in self.waiting)
            parts.append(
                f"A person has to decide first, which can't be done over MCP:\n{calls}\n"
                f"It waits in the conversation {self.conversation_id}, on this server's page."
            )
        return "\n\n".join(parts)


def sources(citations: Iterable[Citation]) -> list[Source]:
    """Return what is told of citations."""
    return [Source.model_validate(citation) for citation in citations]


def _told(source: Source) -> str:
    page = f", page {source.page}" if source.page else ""
    return f"[{source.number}] {source.document_name}{page}: “{source.quote}”"
