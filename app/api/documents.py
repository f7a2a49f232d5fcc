"""REST: documents, their passages and files."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from app.api.caller import Caller
from app.api.cursor import decode_cursor, encode_cursor
from app.api.document_models import (
    DocumentBody,
    DocumentPage,
    PassageBody,
    UploadBody,
)
from app.api.problems import problem_responses
from app.api.upload import UPLOAD_SCHEMA, received_file
from app.knowledge.intake import Intake
from app.knowledge.library import Library
from core.documents import DEFAULT_COLLECTION, Document
from core.ids import DocumentId, PassageId
from core.ports.document_store import DocumentMark

Limit = Annotated[int, Query(ge=1, le=200)]


def document_routes(library: Library, intake: Intake, file_limit_bytes: int) -> APIRouter:
    """Return the routes under `/documents`."""
    router = APIRouter(prefix="/documents", tags=["documents"])
    _add_upload(router, intake, file_limit_bytes)
    _add_documents(router, library)
    _add_contents(router, library)
    return router


def _add_upload(router: APIRouter, intake: Intake, file_limit_bytes: int) -> None:
    @router.post(
        "",
        status_code=202,
        openapi_extra=UPLOAD_SCHEMA,
        responses=problem_responses(400, 404, 413, 422, 503),
    )
    async def upload_document(caller: Caller, request: Request) -> UploadBody:
        """Take a file in; its job says when it can be searched.

        The same bytes in the same collection are one document: sent again, they answer with the
        first one's ids and `duplicate`, unless it failed, then it is tried anew.
        """
        async with received_file(request, file_limit_bytes) as file:
            accepted = await intake.accept(caller, file.collection, file.name, file.chunks)
        return UploadBody(
            document_id=accepted.document_id,
            job_id=accepted.job_id,
            duplicate=accepted.is_duplicate,
        )


def _add_documents(router: APIRouter, library: Library) -> None:
    @router.get("", responses=problem_responses(404, 422))
    async def list_documents(
        caller: Caller,
        collection: str = DEFAULT_COLLECTION,
        limit: Limit = 50,
        cursor: str | None = None,
    ) -> DocumentPage:
        """List a collection's documents, the newest first."""
        # One more than asked for tells whether there is a next page.
        found = await library.documents(caller, collection, limit + 1, _mark(cursor))
        page = found[:limit]
        return DocumentPage(
            documents=[DocumentBody.model_validate(document) for document in page],
            next_cursor=_cursor_after(page[-1]) if len(found) > limit else None,
        )

    @router.get("/{document_id}", responses=problem_responses(404))
    async def get_document(caller: Caller, document_id: str) -> DocumentBody:
        """Show a document."""
        document = await library.document(caller, DocumentId(document_id))
        return DocumentBody.model_validate(document)

    @router.delete("/{document_id}", status_code=204, responses=problem_responses(404))
    async def delete_document(caller: Caller, document_id: str) -> None:
        """Delete a document and all that was made of it; its job is cancelled."""
        await library.delete_document(caller, DocumentId(document_id))


def _add_contents(router: APIRouter, library: Library) -> None:
    @router.get("/{document_id}/passages/{passage_id}", responses=problem_responses(404))
    async def get_passage(caller: Caller, document_id: str, passage_id: str) -> PassageBody:
        """Show a passage, as a citation names it."""
        passage = await library.passage(caller, DocumentId(document_id), PassageId(passage_id))
        return PassageBody.model_validate(passage)

    @router.get(
        "/{document_id}/content",
        response_class=StreamingResponse,
        responses=problem_responses(404),
    )
    async def get_content(caller: Caller, document_id: str) -> StreamingResponse:
        """Send the file as it was uploaded, to be saved and never shown in the page."""
        document, chunks = await library.content(caller, DocumentId(document_id))
        return StreamingResponse(
            chunks, media_type=document.media_type, headers=_download_headers(document)
        )


def _download_headers(document: Document) -> dict[str, str]:
    # Somebody else's HTML must never run with this server's origin.
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name, safe='')}",
        "Content-Length": str(document.size_bytes),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }


def _mark(cursor: str | None) -> DocumentMark | None:
    if cursor is None:
        return None
    created_at, document_id = decode_cursor(cursor)
    return DocumentMark(created_at, DocumentId(document_id))


def _cursor_after(document: Document) -> str:
    return encode_cursor(document.created_at, document.id)
