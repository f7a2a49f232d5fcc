"""The tools that other programs' agents may call here, with their JSON Schemas."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from app.api.cursor import decode_cursor, encode_cursor
from app.api.document_models import (
    DocumentBody,
    DocumentPage,
    FoundPassageBody,
    SearchBody,
    SearchQuestion,
)
from app.api.mcp.asking import Asking
from app.api.mcp.words import Question, Reply, WhichDocuments
from app.knowledge.library import Library
from app.knowledge.search import Search
from core.errors import InvalidRequest
from core.ids import DocumentId
from core.ports.document_store import DocumentMark
from core.principal import Principal

PAGE: Final = 50

Tick = Callable[[], Awaitable[None]]
A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool gives back: for a program, and for a reader."""

    body: BaseModel
    text: str


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool with the models of what it takes and gives.

    changes: whether it leaves something behind on this server: a conversation.
    """

    description: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    call: Callable[[Principal, Mapping[str, object], Tick], Awaitable[Output]]
    changes: bool = False


def offered_tools(search: Search, library: Library, asking: Asking) -> dict[str, OfferedTool]:
    """Return the tools by name."""

    async def search_knowledge(
        principal: Principal, arguments: Mapping[str, object], _: Tick
    ) -> Output:
        asked = _read(SearchQuestion, arguments)
        found = await search.search(principal, asked.collection, asked.query, asked.limit)
        body = SearchBody(passages=[FoundPassageBody.of(item) for item in found])
        return Output(body, "\n\n".join(map(_passage, body.passages)) or "Nothing was found.")

    async def ask(principal: Principal, arguments: Mapping[str, object], tick: Tick) -> Output:
        reply = await asking.ask(principal, _read(Question, arguments), tick)
        return Output(reply, reply.text())

    async def list_documents(
        principal: Principal, arguments: Mapping[str, object], _: Tick
    ) -> Output:
        page = await _documents(library, principal, _read(WhichDocuments, arguments))
        lines = [f"{one.name} ({one.status}, id {one.id})" for one in page.documents]
        return Output(page, "\n".join(lines) or "There are no documents.")

    return {
        "search_knowledge": OfferedTool(
            "Finds passages in the documents of a collection, the best first.",
            SearchQuestion,
            SearchBody,
            search_knowledge,
        ),
        "ask": OfferedTool(
            "Asks the assistant, which searches the documents and uses its tools; gives its "
            "answer with the sources. Goes on in a conversation where its id is given.",
            Question,
            Reply,
            ask,
            changes=True,
        ),
        "list_documents": OfferedTool(
            "Lists the documents of a collection, the newest first, a page at a time.",
            WhichDocuments,
            DocumentPage,
            list_documents,
        ),
    }


async def _documents(library: Library, principal: Principal, asked: WhichDocuments) -> DocumentPage:
    before = None
    if asked.cursor is not None:
        moment, last_id = decode_cursor(asked.cursor)
        before = DocumentMark(moment, DocumentId(last_id))
    # One more than is told says whether there is a next page.
    found = await library.documents(principal, asked.collection, PAGE + 1, before)
    page = found[:PAGE]
    last = page[-1] if len(found) > PAGE else None
    return DocumentPage(
        documents=[DocumentBody.model_validate(document) for document in page],
        next_cursor=encode_cursor(last.created_at, last.id) if last else None,
    )


def _passage(passage: FoundPassageBody) -> str:
    page = f", page {passage.page}" if passage.page else ""
    return f"{passage.document_name}{page}:\n{passage.text}"


def _read(model: type[A], arguments: Mapping[str, object]) -> A:
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
        raise InvalidRequest(told) from None
