"""Reads an uploaded file out of a request, never more of it than is allowed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message

from core.documents import DEFAULT_COLLECTION
from core.errors import InvalidRequest, TooLarge

READ_BYTES = 256 * 1024
# What may come beside the file: boundaries, part headers, the other fields.
FORM_BYTES = 64 * 1024
FIELDS = 8

UPLOAD_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "collection": {"type": "string", "default": DEFAULT_COLLECTION},
                    },
                }
            }
        },
    }
}
"""What OpenAPI says of the request; the form is read by hand, because of its limits."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """An uploaded file as it lies in a temporary file. name: as the client gave it."""

    name: str
    collection: str
    chunks: AsyncIterator[bytes]


@asynccontextmanager
async def received_file(request: Request, file_limit_bytes: int) -> AsyncIterator[ReceivedFile]:
    """Give the field `file` of a multipart request, with the field `collection`.

    Raises `TooLarge` before anything is read where the request says its length, else as soon as
    it is over; `InvalidRequest` where there is no such file. The temporary file goes at the end.
    """
    limited = _limited(request, file_limit_bytes)
    try:
        async with limited.form(max_files=1, max_fields=FIELDS, max_part_size=FORM_BYTES) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidRequest("Send the file as multipart/form-data, as the field 'file'.")
            yield ReceivedFile(_name(file), _collection(form), _chunks(file))
    except ClientDisconnect:
        raise InvalidRequest("The upload broke off.") from None


def _limited(request: Request, file_limit_bytes: int) -> Request:
    limit = file_limit_bytes + FORM_BYTES
    too_large = TooLarge(f"The file is larger than {file_limit_bytes} bytes.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return Request(request.scope, receive)


def _collection(form: FormData) -> str:
    collection = form.get("collection", DEFAULT_COLLECTION)
    if not isinstance(collection, str):
        raise InvalidRequest("The field 'collection' is a name, not a file.")
    return collection or DEFAULT_COLLECTION


def _name(file: UploadFile) -> str:
    # Browsers write a quotation mark this way (HTML Standard, multipart/form-data).
    return (file.filename or "").replace("%22", '"')


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(READ_BYTES):
        yield chunk
