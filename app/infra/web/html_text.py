"""Reads what a person sees of an HTML page."""

import re
from typing import Final

from lxml import etree

_SILENT: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea"}
)
_LINES: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt"}
    | {"figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li"}
    | {"main", "nav", "ol", "p", "pre", "section", "table", "title", "tr", "ul"}
)
_CELLS: Final = frozenset({"td", "th"})
_SPACE = re.compile(r"\s+")
_PIECE: Final = 1 << 16


def html_text(page: str) -> str:
    """Return a page's title, then its text: a line for each block, no scripts, no markup."""
    seen = _Seen()
    # Fed to a target, so that no tree is built, however deep the page goes.
    parser = etree.HTMLParser(
        target=seen,  # type: ignore[arg-type]  # the stubs ask for more than lxml calls
        huge_tree=True,
    )
    for start in range(0, len(page), _PIECE):
        parser.feed(page[start : start + _PIECE])
    if page:
        parser.close()
    return seen.text()


class _Seen:
    """Collects lines of text from the parser's events."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self._silent = 0

    def start(self, tag: str, _attributes: object) -> None:
        self._silent += tag in _SILENT
        if tag in _LINES:
            self._break()
        elif tag in _CELLS and self._words:
            self._words.append(" | ")

    def end(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        if tag in _LINES:
            self._break()

    def data(self, text: str) -> None:
        if not self._silent:
            self._words.append(text)

    def close(self) -> None:
        """Called by the parser at the end."""

    def text(self) -> str:
        self._break()
        return "\n".join(self._lines)

    def _break(self) -> None:
        line = _SPACE.sub(" ", "".join(self._words)).strip()
        self._words.clear()
        if line:
            self._lines.append(line)
