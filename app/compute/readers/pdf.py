"""Reads the text of a PDF, page by page, with pypdfium2."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pypdfium2 as pdfium  # type: ignore[import-untyped]  # it ships no types
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]  # it ships no types

from app.compute.readers.plain_text import cleaned
from core.errors import UnreadableDocument
from core.ports.compute import ReadDocument

BETWEEN_PAGES = "\n\n"

_LETTERS = str.maketrans(
    {
        # Typesetting joins letters into one sign; nobody who searches or quotes types it.
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
        # What PDFium writes for the hyphen of a word that it joins over the end of a line.
        "\x02": None,
        "\ufffe": None,
    }
)


def read_pdf(path: Path) -> ReadDocument:
    """Return a PDF's text with where each page begins; a page without text is there, empty.

    Raises `UnreadableDocument` where it is locked, broken, or has no text on any page.
    """
    starts: list[int] = []
    pages: list[str] = []
    length = 0
    for page in _pages(path):
        starts.append(length)
        pages.append(page)
        length += len(page) + len(BETWEEN_PAGES)
    text = BETWEEN_PAGES.join(pages)
    if not text.strip():
        raise UnreadableDocument(
            "There is no text in this PDF file. If it was scanned, its pages are pictures: "
            "upload a version with recognised text."
        )
    return ReadDocument(text=text, media_type="application/pdf", page_starts=tuple(starts))


def _pages(path: Path) -> Iterator[str]:
    try:
        with pdfium.PdfDocument(path) as document:
            for number in range(len(document)):
                yield _page_text(document, number)
    except pdfium.PdfiumError as error:
        raise _translated(error) from None


def _page_text(document: pdfium.PdfDocument, number: int) -> str:
    # Closed at once: an open page keeps its pictures in memory. One broken page must not cost the
    # others.
    with (
        suppress(pdfium.PdfiumError),
        closing(document[number]) as page,
        closing(page.get_textpage()) as text_page,
    ):
        text: str = text_page.get_text_bounded()
        return cleaned(text.translate(_LETTERS)).strip()
    return ""


def _translated(error: pdfium.PdfiumError) -> UnreadableDocument:
    if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return UnreadableDocument(
            "This PDF file is protected with a password. Remove the password and upload it again."
        )
    return UnreadableDocument("This PDF file is broken and can't be opened.")
