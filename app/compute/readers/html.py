"""Reads the text of an HTML page as a person sees it, without scripts and styles."""

import re
from pathlib import Path

from lxml import etree

from app.compute.readers.plain_text import decode_text

_SILENT = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea"}
)
_PARAGRAPHS = frozenset(
    {"address", "article", "aside", "blockquote", "dl", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre"}
    | {"section", "table", "title", "ul"}
)
_LINES = frozenset(
    {"body", "br", "caption", "dd", "details", "div", "dt", "figcaption", "li", "summary", "tr"}
)
_CELLS = frozenset({"td", "th"})

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]{1,40})""", re.I)
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")

# What is given to the parser at once.
_PIECE = 1 << 16


def read_html(path: Path) -> str:
    """Return a page's text, block by block: a line each, the cells of a row in one line."""
    data = path.read_bytes()
    declared = _CHARSET.search(data[:2048])
    text = decode_text(data, declared[1].decode() if declared else None)
    # Fed to a target, so that no tree is built: 50,000 elements in each other are no deeper then.
    page = _PageText()
    parser = etree.HTMLParser(
        target=page,  # type: ignore[arg-type]  # the stubs ask for more than lxml calls
        huge_tree=True,
    )
    for start in range(0, len(text), _PIECE):
        parser.feed(text[start : start + _PIECE])
    parser.close()
    return page.text()


class _PageText:
    """Collects a page's text from the parser's events."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._silent = 0
        self._literal = 0
        self._cells = 0
        self._is_next_cell = False
        self._last = "\n"

    def start(self, tag: str, _attributes: object) -> None:
        if tag in _SILENT:
            self._silent += 1
        self._literal += tag == "pre"
        self._break(tag)
        if tag == "tr":
            self._cells = 0
        elif tag in _CELLS:
            self._is_next_cell = self._cells > 0
            self._cells += 1
        elif tag == "li":
            self._add("- ")

    def end(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        self._literal -= tag == "pre"
        if tag != "br":
            self._break(tag)

    def data(self, text: str) -> None:
        if self._silent:
            return
        if not self._literal:
            text = _SPACE.sub(" ", text)
            if self._last in "\n " or self._is_next_cell:
                text = text.removeprefix(" ")
        if text and self._is_next_cell:
            self._is_next_cell = False
            # A cell that begins a line of its own, after a list for one, needs no bar.
            self._add({"\n": "", " ": "| "}.get(self._last, " | "))
        self._add(text)

    def close(self) -> None:
        """Called by the parser at the end."""

    def text(self) -> str:
        lines = (line.rstrip() for line in "".join(self._pieces).split("\n"))
        return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._add("\n\n")
        elif tag in _LINES and (self._last != "\n" or tag == "br"):
            self._add("\n")

    def _add(self, text: str) -> None:
        if text and not self._silent:
            self._pieces.append(text)
            self._last = text[-1]
