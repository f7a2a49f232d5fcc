"""Every kind of file becomes the text that a person sees in it, or a sentence that says why not."""

import io
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from app.compute import reading
from app.compute.reading import read_document
from core.errors import UnreadableDocument
from core.ports.compute import ReadDocument
from tests.support import documents
from tests.support.documents import archive, docx, docx_of_markup, html, paragraph, pdf, word_part

MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, content: bytes, name: str) -> ReadDocument:
    path = folder / "upload"
    path.write_bytes(content)
    return read_document(path, name)


def refusal(folder: Path, content: bytes, name: str) -> str:
    with pytest.raises(UnreadableDocument) as refused:
        read(folder, content, name)
    return refused.value.message


def test_a_pdf_has_its_pages_where_they_say(folder: Path) -> None:
    document = read(folder, pdf("One (1).\nMore.", "", "Three."), "a.pdf")
    assert document.media_type == "application/pdf"
    starts = (*document.page_starts, len(document.text))
    pages = [document.text[start:end] for start, end in pairwise(starts)]
    assert [page.strip() for page in pages] == ["One (1).\nMore.", "", "Three."]


def test_a_broken_page_does_not_cost_the_others(folder: Path) -> None:
    content = pdf("First.", "Lost.", "Last.").replace(b"/Contents 7 0 R", b"/Contents 99 0 R")
    assert read(folder, content, "a.pdf").text.split() == ["First.", "Last."]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (documents.pdf_without_text(), "There is no text in this PDF file. If it was scanned"),
        (documents.locked_pdf(), "This PDF file is protected with a password."),
        (b"%PDF-1.7\ngarbage", "This PDF file is broken"),
        (b"", "This file is empty."),
        (b"MZ\x90\0" + bytes(100), 'The name ends in ".pdf", but the content is a program.'),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(folder: Path, content: bytes, sentence: str) -> None:
    assert refusal(folder, content, "a.pdf").startswith(sentence)


def test_a_word_file_is_read_in_order_with_its_tables(folder: Path) -> None:
    content = docx("Before", [["Name", "Days"], ["Refund", "10 & more"]], "After")
    document = read(folder, content, "a.docx")
    assert document.text == "Before\n\nName | Days\nRefund | 10 & more\n\nAfter"
    assert document.page_starts == ()


def test_a_word_file_is_read_with_what_stands_in_boxes_controls_and_notes(folder: Path) -> None:
    box = f"<w:p><w:r><w:txbxContent>{paragraph('boxed')}</w:txbxContent></w:r></w:p>"
    control = f"<w:sdt><w:sdtContent>{paragraph('controlled')}</w:sdtContent></w:sdt>"
    changed = (
        "<w:p><w:ins><w:r><w:t>in</w:t></w:r></w:ins><w:r><w:tab/><w:t>x</w:t><w:br/></w:r>"
        "<w:del><w:r><w:delText>out</w:delText></w:r></w:del><w:r><w:t>y</w:t></w:r></w:p>"
    )
    notes = {"word/footnotes.xml": word_part("footnotes", paragraph("noted"))}
    document = read(folder, docx_of_markup(box + control + changed, notes), "a.docx")
    assert document.text == "boxed\n\ncontrolled\n\nin\tx\ny\n\nnoted"


def test_a_word_file_full_of_photographs_is_read(folder: Path) -> None:
    # They are never unpacked, so they may be larger than the limit; but not out of proportion.
    photograph = bytes(range(256)) * (4 * MIB // 256)
    photographs = {f"word/media/{number}.jpg": photograph for number in range(8)}
    target = folder / "upload"
    target.write_bytes(docx("Text", parts=photographs))
    assert "far more" in refusal(folder, target.read_bytes(), "a.docx")
    stored = _stored(docx("Text"), photographs)
    assert read(folder, stored, "a.docx").text == "Text"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 and no more", "This Word file is broken"),
        (archive({"a.txt": "x"}), "This is a ZIP archive."),
        (archive({"ppt/presentation.xml": "<p/>"}), "This is a PowerPoint file."),
        (archive({"mimetype": "application/epub+zip"}), "This is an OpenDocument file"),
        (docx_of_markup(" " * 30 * MIB), "This Word file unpacks to far more"),
        (docx_of_markup(" " * 2 * MIB), "This Word file unpacks to far more"),
        (docx("x", parts={f"word/{n}.xml": "" for n in range(1001)}), "This Word file unpacks"),
        (docx("x", parts={"word/inner.zip": b"PK\x03\x04"}), "This Word file has another archive"),
        (docx("x", parts={"word/document.xml": "<w:document"}), "This Word file is broken"),
        (docx_of_markup("<w:sdt>" * 5000 + "</w:sdt>" * 5000), "This Word file is broken"),
        (docx(""), "There is no text in this file."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "This is an Office file of the kind"),
    ],
)
def test_a_word_file_that_cannot_be_read_says_why(
    folder: Path, content: bytes, sentence: str
) -> None:
    assert refusal(folder, content, "a.docx").startswith(sentence)


def test_a_locked_word_file_says_so(folder: Path) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    content += "EncryptedPackage".encode("utf-16-le")
    assert "password" in refusal(folder, content, "a.docx")


@pytest.mark.parametrize(
    "entity", ['<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY x "laughter">']
)
def test_entities_of_a_word_file_are_never_resolved(folder: Path, entity: str) -> None:
    body = word_part("document", paragraph("ok").replace("ok", "&x;")).partition("?>")[2]
    part = f"<!DOCTYPE d [{entity}]>{body}"
    content = docx("x", parts={"word/document.xml": part})
    assert "no Word file has" in refusal(folder, content, "a.docx")


def test_a_part_that_unpacks_to_more_than_it_says_is_stopped(folder: Path) -> None:
    honest = docx_of_markup(paragraph("word " * 1000))
    size = len(word_part("document", f"<w:body>{paragraph('word ' * 1000)}</w:body>"))
    lying = honest.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    assert refusal(folder, lying, "a.docx").startswith("This Word file is broken")


def test_a_web_page_is_read_as_a_person_sees_it(folder: Path) -> None:
    body = (
        "<h1>Refunds &amp; returns</h1><p>We pay <b>within</b>\n  ten days.<br>Really.</p>"
        "<ul><li>cash<li>card</ul><table><tr><th>Day</th> <th>Sum</th></tr>"
        "<tr><td>1</td><td></td><td>5</td></tr></table><pre>a  b\n c</pre>"
        "<noscript>no</noscript><!-- no -->"
    )
    document = read(folder, html("Shop", body), "a.html")
    assert document.media_type == "text/html"
    assert document.text == (
        "Shop\n\nRefunds & returns\n\nWe pay within ten days.\nReally.\n\n- cash\n- card\n\n"
        "Day | Sum\n1 | 5\n\na  b\n c"
    )


def test_a_web_page_is_read_in_the_encoding_it_declares(folder: Path) -> None:
    page = '<html><head><meta charset="shift_jis"></head><body>日本語</body></html>'
    assert read(folder, page.encode("shift_jis"), "a.html").text == "日本語"


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li"])
def test_a_web_page_of_fifty_thousand_elements_in_each_other_is_read(
    folder: Path, tag: str
) -> None:
    content = ("<!doctype html>" + f"<{tag}>" * 50_000 + "core").encode()
    assert read(folder, content, "a.html").text.endswith("core")


def test_markdown_stays_as_it_is(folder: Path) -> None:
    source = "# Title\r\n\r\n- *one* `two`\r\n"
    document = read(folder, source.encode(), "a.md")
    assert document.text == "# Title\n\n- *one* `two`\n"
    assert document.media_type == "text/markdown"


def test_plain_text_is_cleaned_of_what_no_one_can_see(folder: Path) -> None:
    assert read(folder, b"one\0two\x1b[0m", "a.txt").text == "onetwo[0m"


def test_a_file_without_a_word_is_refused(folder: Path) -> None:
    assert refusal(folder, b" \n\t ", "a.txt") == "There is no text in this file."


def test_a_file_with_more_text_than_a_document_has_is_refused(
    folder: Path,
) -> None:
    content = b"word " * (reading.MAX_CHARACTERS // 5 + 1)
    assert "more text than one document may have" in refusal(folder, content, "a.txt")


def _stored(content: bytes, parts: dict[str, bytes]) -> bytes:
    """Return the archive with more parts, which are not packed."""
    target = io.BytesIO(content)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return target.getvalue()
