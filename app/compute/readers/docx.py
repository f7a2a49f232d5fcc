"""Reads the text of a Word file in reading order: paragraphs, tables, text boxes, notes.

The parts are parsed here and not by python-docx, which leaves content controls, tracked insertions,
text boxes and notes out, refuses files in the strict form of the standard, and unpacks every
picture. Element names are those of ISO/IEC 29500-1.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from lxml import etree

from app.compute.readers.docx_package import DocxPackage
from core.errors import UnreadableDocument

_RELATIONS = "_rels/.rels"
_MAIN_TYPE = "/officeDocument"
_NOTES = ("footnotes.xml", "endnotes.xml")

# Elements that stand for a sign. Deleted text is in `delText` and so never read.
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_TEXTS = frozenset({"t"})
# A text box is there twice, the second time for programs that don't know the first form; fields
# show their result beside their code.
_SKIPPED = frozenset({"Fallback", "instrText", "pPr", "rPr", "tblPr", "sectPr", "del"})

CELL_BORDER = " | "


def read_docx(path: Path) -> str:
    """Return a Word file's text: a line for each paragraph, one for each row of a table.

    Raises `UnreadableDocument` where it is broken or unpacks to more than is safe.
    """
    with closing(DocxPackage.open(path)) as package:
        main = _main_part(package)
        body = _part_text(package, main)
        if body is None:
            raise UnreadableDocument("This Word file is broken: its text is missing.")
        folder = PurePosixPath(main).parent
        notes = (_part_text(package, str(folder / name)) for name in _NOTES)
        return "\n\n".join(text for text in (body, *notes) if text)


def _main_part(package: DocxPackage) -> str:
    relations = package.part(_RELATIONS)
    for relation in _parsed(relations) if relations else ():
        if str(relation.get("Type", "")).endswith(_MAIN_TYPE):
            return str(relation.get("Target", "")).lstrip("/")
    return "word/document.xml"


def _part_text(package: DocxPackage, name: str) -> str | None:
    part = package.part(name)
    return None if part is None else "\n\n".join(_blocks(_parsed(part)))


def _parsed(part: bytes) -> "etree._Element":
    # The standard forbids a document type, and all attacks by entities need one.
    if b"<!DOCTYPE" in part or "<!DOCTYPE".encode("utf-16-le") in part:
        raise UnreadableDocument("This Word file has markup that no Word file has.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        return etree.fromstring(part, parser)
    except etree.XMLSyntaxError:
        raise UnreadableDocument("This Word file is broken: its markup can't be read.") from None


def _blocks(element: "etree._Element") -> Iterator[str]:
    """Yield paragraphs and tables below an element; those of text boxes after the one around."""
    for child in element:
        name = _name(child)
        if name == "p":
            yield from _paragraph(child)
        elif name == "tbl":
            rows = [row for row in _rows(child) if row.strip(CELL_BORDER)]
            if rows:
                yield "\n".join(rows)
        elif name not in _SKIPPED:
            yield from _blocks(child)


def _paragraph(element: "etree._Element") -> Iterator[str]:
    boxes: list[etree._Element] = []
    text = "".join(_runs(element, boxes)).strip()
    if text:
        yield text
    for box in boxes:
        yield from _blocks(box)


def _runs(element: "etree._Element", boxes: "list[etree._Element]") -> Iterator[str]:
    for child in element:
        name = _name(child)
        if name in _TEXTS:
            yield child.text or ""
        elif name in _SIGNS:
            yield _SIGNS[name]
        elif name == "txbxContent":
            boxes.append(child)
        elif name not in _SKIPPED:
            yield from _runs(child, boxes)


def _rows(table: "etree._Element") -> Iterator[str]:
    for child in table:
        name = _name(child)
        if name == "tr":
            yield CELL_BORDER.join(" ".join(_blocks(cell)) for cell in _cells(child)).strip()
        elif name not in _SKIPPED:
            yield from _rows(child)


def _cells(row: "etree._Element") -> "Iterator[etree._Element]":
    for child in row:
        name = _name(child)
        if name == "tc":
            yield child
        elif name not in _SKIPPED:
            yield from _cells(child)


def _name(element: "etree._Element") -> str:
    # By local name: the strict and the transitional form have different namespaces. Processing
    # instructions have no name.
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "del"
