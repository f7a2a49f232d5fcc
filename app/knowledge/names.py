"""Says what a collection and a document may be called."""

import re
import unicodedata

from core.errors import InvalidRequest

DOCUMENT_NAME_LENGTH = 200
COLLECTION_NAME = re.compile(r"\w[\w .\-]{0,63}")

# Invisible characters that turn the direction of text, so that `exe.pdf` reads as `fdp.exe`, do
# not belong in a name; the joiners are part of words in many scripts.
JOINERS = "\u200c\u200d"


def clean_document_name(given: str) -> str:
    """Return the name to show for an uploaded file: one line, no folders, at most 200 characters.

    It is for people only: no file is ever named by it. Raises `InvalidRequest` where nothing
    is left.
    """
    last_part = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    visible = "".join(" " if character.isspace() else character for character in last_part)
    visible = "".join(character for character in visible if _is_writing(character))
    name = " ".join(visible.split())
    if not name.strip("."):
        raise InvalidRequest("The file needs a name.")
    return _shortened(name)


def clean_collection_name(given: str) -> str:
    """Return the name of a collection to be made. Raises `InvalidRequest`."""
    name = unicodedata.normalize("NFC", given).strip()
    if COLLECTION_NAME.fullmatch(name) is None:
        raise InvalidRequest(
            "A collection's name has 1 to 64 letters, digits, spaces, dots, dashes and"
            " underscores, and begins with a letter or digit."
        )
    return name


def _is_writing(character: str) -> bool:
    return character in JOINERS or not unicodedata.category(character).startswith("C")


def _shortened(name: str) -> str:
    if len(name) <= DOCUMENT_NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 16:
        stem, dot, ending = name, "", ""
    room = DOCUMENT_NAME_LENGTH - len(dot + ending) - 1
    return f"{stem[:room]}…{dot}{ending}"
