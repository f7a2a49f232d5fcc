"""A file is what its bytes say, and a name that says otherwise is refused."""

import pytest

from app.compute.readers.file_kind import FileKind, file_kind
from core.errors import UnreadableDocument

PDF = b"%PDF-1.7\n"
ZIP = b"PK\x03\x04"


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (PDF, "report.pdf", FileKind.PDF),
        (PDF, "report", FileKind.PDF),
        (b"\xef\xbb\xbf\r\n" + PDF, "report", FileKind.PDF),
        (b"a mail's header\n" + PDF, "report.PDF", FileKind.PDF),
        (ZIP, "letter.docx", FileKind.DOCX),
        (ZIP, "letter", FileKind.DOCX),
        (b"<!DOCTYPE html><p>", "page.html", FileKind.HTML),
        (b" \n<HTML lang=en>", "page", FileKind.HTML),
        (b'<?xml version="1.0"?><html>', "page.xhtml", FileKind.HTML),
        ("<!doctype html>".encode("utf-16"), "page.txt", FileKind.HTML),
        (b"<p>only a piece</p>", "page.htm", FileKind.HTML),
        (b"# Title", "notes.md", FileKind.MARKDOWN),
        (b"# Title", "notes.txt", FileKind.TEXT),
        (b"a,b\n1,2", "table.csv", FileKind.TEXT),
        (b"MZ is how programs begin", "notes.txt", FileKind.TEXT),
        (b"It begins with %PDF-1.7", "notes.txt", FileKind.TEXT),
    ],
)
def test_a_readable_kind_is_recognised(head: bytes, name: str, kind: FileKind) -> None:
    assert file_kind(head, name) is kind


@pytest.mark.parametrize(
    ("head", "name", "sentence"),
    [
        (b"MZ\x90\0\3", "report.pdf", 'ends in ".pdf", but the content is a program'),
        (PDF, "report.docx", 'ends in ".docx", but the content is a PDF file'),
        (PDF, "report.TXT", 'ends in ".txt", but the content is a PDF file'),
        (ZIP, "report.pdf", 'ends in ".pdf", but the content is a Word file'),
        (b"hello", "report.pdf", 'ends in ".pdf", but the content is of another kind'),
        (b"\x89PNG\r\n\x1a\n", "scan.png", "This is a PNG image. Only PDF"),
        (b"RIFF\0\0\0\0WAVE", "talk.wav", "This is a sound recording."),
        (b"\0\0\0\x20ftypisom", "clip.mp4", "This is a video"),
        (b"{\\rtf1", "letter.rtf", "This is an RTF file."),
    ],
)
def test_another_kind_is_refused_in_a_sentence(head: bytes, name: str, sentence: str) -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        file_kind(head, name)
    assert sentence in refusal.value.message
