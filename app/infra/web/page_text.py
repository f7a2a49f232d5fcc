"""Makes text of what a server sent."""

import codecs
import re
from typing import Final

from app.infra.web.html_text import html_text

_READABLE = re.compile(r"text/.+|application/(.+\+)?(json|xml)")
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PARAMETER = re.compile(r""";\s*charset\s*=\s*["']?([\w:-]{1,40})""", re.I)
_IN_PAGE = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w:-]{1,40})""", re.I
)
# Encodings of bytes that pages are in. Others that Python knows take quadratic time, or run code.
_ENCODING = re.compile(r"(utf_?8|utf_?16.*|iso8859.*|cp\d+|koi8.*|gb.*|big5.*|euc_.*|shift_?jis.*)")


def media_type_of(content_type: str) -> str:
    """Return a Content-Type in lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_readable(media_type: str) -> bool:
    """Return whether it is text, JSON or XML."""
    return _READABLE.fullmatch(media_type) is not None


def page_text(body: bytes, content_type: str) -> str:
    """Return the text of a page: of HTML what a person sees, of all else everything.

    It may take some 100 ms, so never on the event loop.
    """
    text = _decode(body, content_type)
    return html_text(text) if media_type_of(content_type) in _HTML else text


def _decode(body: bytes, content_type: str) -> str:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace")
    declared = _PARAMETER.search(content_type)
    if declared is not None:
        return body.decode(_known(declared[1]), errors="replace")
    inside = _IN_PAGE.search(body[:2048])
    return body.decode(_known(inside[1].decode()) if inside else "utf-8", errors="replace")


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name.replace("-", "_")
    except LookupError:
        return "utf-8"
    # Latin-1 means Windows' superset of it on the web.
    if found in ("iso8859_1", "ascii"):
        return "cp1252"
    return found if _ENCODING.fullmatch(found) else "utf-8"
