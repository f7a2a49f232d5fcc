"""Makes small files of every kind that can be read, and of kinds that can't."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

Table = Sequence[Sequence[str]]


def pdf(*pages: str) -> bytes:
    """Return a PDF with one page for each text, of Latin-1 characters, line by line."""
    return _pdf([_page_content(page) for page in pages])


def pdf_without_text() -> bytes:
    """Return a PDF whose only page has a drawn line and no text, as a scan has none."""
    return _pdf([b"0 0 m 100 100 l S"])


def locked_pdf() -> bytes:
    """Return a PDF that opens with a password only, which nobody knows."""
    lock = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{'41' * 32}>/U<{'42' * 32}>>>"
    return _pdf([_page_content("secret")], lock + f"/ID[<{'43' * 16}><{'43' * 16}>]")


def docx(*blocks: str | Table, parts: Mapping[str, bytes | str] | None = None) -> bytes:
    """Return a Word file of paragraphs and tables, with more parts or others in their place."""
    return docx_of_markup("".join(map(_block, blocks)), parts)


def docx_of_markup(body: str, parts: Mapping[str, bytes | str] | None = None) -> bytes:
    """Return a Word file with the given markup in its body; `w:` is bound."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    return archive(
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
            ),
            "_rels/.rels": (
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
                f'relationships"><Relationship Id="r1" Type="{relation}" '
                'Target="word/document.xml"/></Relationships>'
            ),
            "word/document.xml": word_part("document", f"<w:body>{body}</w:body>"),
            **(parts or {}),
        }
    )


def word_part(root: str, content: str) -> str:
    """Return a part of a Word file with a root element of the given name."""
    return f'<?xml version="1.0"?><w:{root} xmlns:w="{WORD}">{content}</w:{root}>'


def paragraph(text: str) -> str:
    """Return the markup of a Word paragraph."""
    return f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def archive(parts: Mapping[str, bytes | str]) -> bytes:
    """Return a ZIP archive of the parts, packed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return target.getvalue()


def html(title: str, body: str) -> bytes:
    """Return an HTML page, with a script and a style that are no part of its text."""
    return (
        f"<!doctype html><html><head><title>{escape(title)}</title><style>p {{ color: red }}"
        f"</style><script>let hidden = 1</script></head><body>{body}</body></html>"
    ).encode()


def _block(block: str | Table) -> str:
    if isinstance(block, str):
        return paragraph(block)
    rows = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in block)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def _page_content(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    lines = "".join(f"({line}) Tj T*\n" for line in escaped.splitlines())
    return f"BT /F1 12 Tf 14 TL 50 750 Td\n{lines}ET".encode("latin-1")


def _pdf(contents: Sequence[bytes], trailer: str = "") -> bytes:
    """Return a PDF: object 1 is the catalog, 2 the pages, 3 the font; then two for each page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for number, content in enumerate(contents):
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append(f"{page}/Contents {5 + 2 * number} 0 R>>".encode())
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    head = b"%PDF-1.4\n"
    bodies = [
        b"%d 0 obj%s\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1)
    ]
    starts = accumulate(map(len, bodies), initial=len(head))
    *offsets, end = starts
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{end}\n%%EOF\n"
    )
    return head + b"".join(bodies) + tail.encode()
