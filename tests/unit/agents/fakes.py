"""What the agents' tests stand on: documents in memory, a turn's facts, passages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.agents.sources import Source
from app.agents.turn import PassageRef, TurnFacts
from core.conversations import Message, Role
from core.documents import FoundPassage, Passage
from core.errors import NotFound
from core.ids import ConversationId, DocumentId, MessageId, PassageId, RunId
from core.principal import LOCAL, Principal
from tests.support.recording_sink import RecordingSink


def passage(text: str, name: str = "1", *, start: int = 0, page: int | None = None) -> Passage:
    """Return a passage `p<name>` of document `d<name>`."""
    return Passage(
        id=PassageId(f"p{name}"),
        document_id=DocumentId(f"d{name}"),
        document_name=f"{name}.pdf",
        collection="default",
        ordinal=0,
        page=page,
        start=start,
        end=start + len(text),
        text=text,
    )


def found(text: str, name: str = "1", *, score: float = 1.0, start: int = 0) -> FoundPassage:
    """Return a found passage whose focus is all of it."""
    return FoundPassage(passage(text, name, start=start), score, 0, len(text))


def source(text: str, number: int = 1, *, start: int = 0, score: float = 1.0) -> Source:
    """Return a source of that number."""
    return Source(number, found(text, str(number), score=score, start=start))


def refs(*items: FoundPassage) -> list[PassageRef]:
    """Return what retrieval puts into the state."""
    return [
        PassageRef(
            passage_id=item.passage.id,
            score=item.score,
            focus_start=item.focus_start,
            focus_end=item.focus_end,
        )
        for item in items
    ]


@dataclass
class FakeLibrary:
    """See `Library`. It finds what it was given, whatever it is asked."""

    found: Sequence[FoundPassage] = ()
    collections: Collection[str] = ("default",)
    queries: list[tuple[str, int]] = field(default_factory=list)
    asked_for_documents: int = 0
    looked_up: list[list[PassageId]] = field(default_factory=list)

    async def search(
        self, principal: Principal, collection_name: str, query: str, limit: int
    ) -> list[FoundPassage]:
        """See `Library`."""
        self._require(collection_name)
        self.queries.append((query, limit))
        return list(self.found[:limit])

    async def passages(
        self, principal: Principal, passage_ids: Collection[PassageId]
    ) -> dict[PassageId, Passage]:
        """See `Library`."""
        self.looked_up.append(list(passage_ids))
        there: Mapping[PassageId, Passage] = {item.passage.id: item.passage for item in self.found}
        return {id_: there[id_] for id_ in passage_ids if id_ in there}

    async def has_documents(self, principal: Principal, collection_name: str) -> bool:
        """See `Library`."""
        self._require(collection_name)
        self.asked_for_documents += 1
        return bool(self.found)

    def _require(self, collection_name: str) -> None:
        if collection_name not in self.collections:
            raise NotFound(f"There is no collection {collection_name}.")


def facts(
    question: str,
    sink: RecordingSink | None = None,
    history: Sequence[Message] = (),
    collection: str = "default",
) -> TurnFacts:
    """Return the facts of run `run` whose answer will be `answer`."""
    return TurnFacts(
        run_id=RunId("run"),
        conversation_id=ConversationId("conversation"),
        principal=LOCAL,
        question=question,
        history=tuple(history),
        collection=collection,
        answer_id=MessageId("answer"),
        sink=sink or RecordingSink(),
        root_id=RunId("run"),
        fence=1,
    )


def said(role: Role, content: str) -> Message:
    """Return a message of the history."""
    return Message(
        id=MessageId("m"),
        conversation_id=ConversationId("conversation"),
        run_id=RunId("earlier"),
        position=1,
        role=role,
        content=content,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
