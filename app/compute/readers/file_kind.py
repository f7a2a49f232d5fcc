"""Tells what a file really is, from its bytes."""

from enum import StrEnum
from pathlib import PurePath

from core.errors import UnreadableDocument

READABLE = "Only PDF, Word (.docx), Markdown, HTML and plain text can be read."

# How much of a file decides.
HEAD_BYTES = 4096


class FileKind(StrEnum):
    """A kind of file that can be read, as its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"


_NAMES = {
    FileKind.PDF: "a PDF file",
    FileKind.DOCX: "a Word file or another ZIP archive",
}

_SUFFIXES = {
    ".pdf": FileKind.PDF,
    ".docx": FileKind.DOCX,
    ".html": FileKind.HTML,
    ".htm": FileKind.HTML,
    ".xhtml": FileKind.HTML,
    ".md": FileKind.MARKDOWN,
    ".markdown": FileKind.MARKDOWN,
    ".txt": FileKind.TEXT,
}
_TEXTS = frozenset({FileKind.HTML, FileKind.MARKDOWN, FileKind.TEXT})

_FOREIGN = (
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"OggS", "a sound recording"),
    (b"fLaC", "a sound recording"),
    (b"ID3", "a sound recording"),
    (b"\xff\xfb", "a sound recording"),
    (b"%!PS", "a PostScript file"),
    (b"{\\rtf", "an RTF file"),
    (b"SQLite format 3\0", "a database"),
)
_RIFF = {b"WAVE": "a sound recording", b"WEBP": "a WebP image", b"AVI ": "a video"}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PDF = b"%PDF-"
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def file_kind(head: bytes, name: str) -> FileKind:
    """Return the kind of the file that begins with `head` and was uploaded as `name`.

    The name only decides between kinds of text. Raises `UnreadableDocument` where no reader knows
    the content, or where the name promises another kind.
    """
    expected = _SUFFIXES.get(PurePath(name.lower()).suffix)
    foreign = _foreign(head)
    if foreign is not None:
        _refuse(name, expected, foreign)
    kind = _binary_kind(head, expected) or _text_kind(head, expected)
    if expected is not None and kind is not expected and not {kind, expected} <= _TEXTS:
        _refuse(name, expected, _NAMES.get(kind, "of another kind"))
    return kind


def _binary_kind(head: bytes, expected: FileKind | None) -> FileKind | None:
    # PDF readers accept some bytes before the header; a text that only speaks of it must not
    # pass for one.
    where = head.find(_PDF, 0, 1024)
    if where >= 0 and (expected is FileKind.PDF or not head[:where].strip(b"\xef\xbb\xbf \t\r\n")):
        return FileKind.PDF
    return FileKind.DOCX if head.startswith(_ZIP) else None


def _text_kind(head: bytes, expected: FileKind | None) -> FileKind:
    # Without its zeros, so that UTF-16 shows as well.
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith(_HTML) or (start.startswith(b"<?xml") and b"<html" in start):
        return FileKind.HTML
    return expected if expected in _TEXTS else FileKind.TEXT


def _foreign(head: bytes) -> str | None:
    for signature, what in _FOREIGN:
        if head.startswith(signature):
            return what
    # Two letters can also begin a text; a program has zeros soon after them.
    if head.startswith(b"MZ") and b"\0" in head:
        return "a program"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "a video, a photograph or a sound recording"
    return None


def _refuse(name: str, expected: FileKind | None, content: str) -> None:
    if expected is None:
        raise UnreadableDocument(f"This is {content}. {READABLE}")
    suffix = PurePath(name.lower()).suffix
    raise UnreadableDocument(f'The name ends in "{suffix}", but the content is {content}.')
