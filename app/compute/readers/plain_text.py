"""Reads plain text and Markdown, kept as they are, so that what is quoted is what is there."""

import codecs
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

from core.errors import UnreadableDocument

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# Control characters, halves of surrogate pairs, and what Unicode says is no character.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

# One byte in ten of compressed data is a control character. Text that is valid UTF-8 may have
# more: logs of terminals do.
CONTROL_SHARE_UTF8 = 0.3
CONTROL_SHARE_OTHER = 0.08


def read_plain_text(path: Path) -> str:
    """Return a file's text; raises `UnreadableDocument` where it is not text."""
    return decode_text(path.read_bytes())


def decode_text(data: bytes, declared: str | None = None) -> str:
    """Return bytes as text: by their mark, as UTF-8, as declared, or as Western European.

    declared: the name of an encoding that the content claims to be in.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    unmarked = _unmarked_utf16(data)
    if unmarked is not None:
        return data.decode(unmarked, errors="replace")
    with suppress(UnicodeError):
        return _checked(data.decode("utf-8"), CONTROL_SHARE_UTF8)
    for guess in (declared, "cp1252"):
        # A page that claims to be UTF-16 and has no zeros is not.
        if guess and not guess.lower().startswith("utf"):
            with suppress(UnicodeError, LookupError):
                return _checked(data.decode(guess), CONTROL_SHARE_OTHER)
    # Every byte means something here.
    return _checked(data.decode("latin-1"), CONTROL_SHARE_OTHER)


def cleaned(text: str) -> str:
    """Return text that can be stored, shown and searched: one kind of line end, no controls.

    Letters and their accents are composed (NFC), as models write them when they quote.
    """
    text = _LINE_END.sub("\n", text)
    return unicodedata.normalize("NFC", _UNPRINTABLE.sub("", text))


def _unmarked_utf16(data: bytes) -> str | None:
    head = data[:1024]
    half = len(head) // 2
    if half < 2:
        return None
    # Every other byte of text in Western script is zero then.
    if head[1::2].count(0) > 0.7 * half and head[::2].count(0) == 0:
        return "utf-16-le"
    if head[::2].count(0) > 0.7 * half and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _checked(text: str, share: float) -> str:
    if len(_CONTROLS.findall(text)) > share * len(text):
        raise UnreadableDocument("This is not text, nor any other kind of file that can be read.")
    return text
