"""Reads a file into text; it runs in a worker process of its own, under limits."""

from pathlib import Path

from app.compute.readers.file_kind import HEAD_BYTES, OLE, READABLE, FileKind, file_kind
from app.compute.readers.plain_text import cleaned, read_plain_text
from core.errors import UnreadableDocument
from core.ports.compute import ReadDocument

# What a thousand novels have; embedding it would take a day.
MAX_CHARACTERS = 20_000_000

TOO_MUCH_MEMORY = "This file needs far more memory than a document does, so it was not read."


def read_document(path: Path, name: str) -> ReadDocument:
    """Return the text of the file at `path`, uploaded as `name`; see `Compute.read`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnreadableDocument("This file is empty.")
    if head.startswith(OLE):
        raise _old_office(path)
    try:
        document = _read(path, file_kind(head, name))
    except (MemoryError, RecursionError):
        raise UnreadableDocument(TOO_MUCH_MEMORY) from None
    if not document.text or document.text.isspace():
        raise UnreadableDocument("There is no text in this file.")
    if len(document.text) > MAX_CHARACTERS:
        raise UnreadableDocument(
            f"This file has more text than one document may have ({MAX_CHARACTERS:,} characters). "
            "Split it and upload the parts."
        )
    return document


def _read(path: Path, kind: FileKind) -> ReadDocument:
    # The readers are imported where they are used, because the server's process, which imports
    # this module to name it, must not load their libraries.
    if kind is FileKind.PDF:
        from app.compute.readers.pdf import read_pdf

        return read_pdf(path)
    if kind is FileKind.DOCX:
        from app.compute.readers.docx import read_docx

        text = read_docx(path)
    elif kind is FileKind.HTML:
        from app.compute.readers.html import read_html

        text = read_html(path)
    else:
        text = read_plain_text(path)
    return ReadDocument(text=cleaned(text), media_type=kind.value, page_starts=())


def _old_office(path: Path) -> UnreadableDocument:
    # A locked Office file is a container of the old kind with the locked file inside.
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        return UnreadableDocument(
            "This Office file is protected with a password. "
            "Remove the password and upload it again."
        )
    return UnreadableDocument(
        "This is an Office file of the kind before 2007 (.doc, .xls or .ppt). "
        f"Save it as .docx or PDF. {READABLE}"
    )
